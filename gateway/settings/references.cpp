// Resolving references. No problem ever quotes a resolved value.
#include "settings/references.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace gw {
namespace {

constexpr std::size_t k_max_file_bytes = 64 * 1024;

void resolve_environment(const std::string& name, Expanded& out)
{
    const bool valid =
        !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
        std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        });
    if (!valid) {
        out.problems.push_back("`" + name + "` is not a name of an environment variable");
        return;
    }
    // Read before any thread of ours starts, or while none writes the environment.
    const char* value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr)
        out.problems.push_back("the environment variable " + name + " is not set");
    else
        out.text += value;
}

void resolve_file(const std::string& path, const std::string& directory, Expanded& out)
{
    if (path.empty()) {
        out.problems.push_back("`${file:}` needs a path, as in ${file:secret.txt}");
        return;
    }
    const std::filesystem::path full = std::filesystem::path{directory} / path;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(full, failed)) {
        out.problems.push_back("there is no file " + full.string());
        return;
    }
    std::ifstream in{full, std::ios::binary};
    std::string content(k_max_file_bytes + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad() || (!in && in.gcount() == 0 && !in.eof())) {
        out.problems.push_back("the file " + full.string() + " cannot be read");
        return;
    }
    content.resize(static_cast<std::size_t>(in.gcount()));
    if (content.size() > k_max_file_bytes) {
        out.problems.push_back("the file " + full.string() + " is larger than 64 KiB");
        return;
    }
    if (content.ends_with('\n'))
        content.pop_back();
    if (content.ends_with('\r'))
        content.pop_back();
    out.text += content;
}

void resolve_in_vault(std::string_view inside, const ReferenceSources& sources, Expanded& out)
{
    const std::size_t hash = inside.find('#');
    const std::string path{inside.substr(0, hash)};
    const std::string field{hash == std::string_view::npos ? std::string_view{} : inside.substr(hash + 1)};
    if (path.empty() || field.empty()) {
        out.problems.emplace_back("`${vault:}` needs a path and a field, as in ${vault:mail/smtp#password}");
        return;
    }
    if (sources.leads_to_vault) {
        out.problems.emplace_back("what is needed to reach the Vault cannot lie in it; write ${env:NAME} or ${file:PATH}");
        return;
    }
    if (sources.vault == nullptr) {
        out.wants_vault = true;
        out.problems.emplace_back("there is no Vault to look in: `stores.secrets.vault` is missing or wrong");
        return;
    }
    const result<std::optional<Secret>> found = (*sources.vault)(path, field);
    if (!found)
        out.problems.push_back("the Vault cannot be asked for " + path + ": " + found.error().message());
    else if (!*found)
        out.problems.push_back("the Vault has no text at " + path + "#" + field);
    else
        out.text += (*found)->reveal();
}

} // namespace

Expanded expand_references(std::string_view raw, const ReferenceSources& sources)
{
    Expanded out;
    while (!raw.empty()) {
        const std::size_t start = raw.find("${");
        out.text += raw.substr(0, start);
        if (start == std::string_view::npos)
            break;
        out.has_reference = true;
        const std::size_t end = raw.find('}', start);
        if (end == std::string_view::npos) {
            out.problems.emplace_back(
                "a reference without its closing brace; write ${env:NAME}, ${file:PATH} or ${vault:PATH#FIELD}");
            break;
        }
        const std::string_view inside = raw.substr(start + 2, end - start - 2);
        raw.remove_prefix(end + 1);
        if (inside.starts_with("env:"))
            resolve_environment(std::string{inside.substr(4)}, out);
        else if (inside.starts_with("file:"))
            resolve_file(std::string{inside.substr(5)}, sources.directory, out);
        else if (inside.starts_with("vault:"))
            resolve_in_vault(inside.substr(6), sources, out);
        else
            out.problems.push_back("`${" + std::string{inside} +
                                   "}` is no reference; write ${env:NAME}, ${file:PATH} or ${vault:PATH#FIELD}");
    }
    return out;
}

} // namespace gw
