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

} // namespace

Expanded expand_references(std::string_view raw, const std::string& directory)
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
                "a reference without its closing brace; write ${env:NAME} or ${file:PATH}");
            break;
        }
        const std::string_view inside = raw.substr(start + 2, end - start - 2);
        raw.remove_prefix(end + 1);
        if (inside.starts_with("env:"))
            resolve_environment(std::string{inside.substr(4)}, out);
        else if (inside.starts_with("file:"))
            resolve_file(std::string{inside.substr(5)}, directory, out);
        else if (inside.starts_with("vault:"))
            out.problems.emplace_back(
                "references to a Vault, ${vault:...}, are not built yet in this version; use "
                "${env:NAME} or ${file:PATH}");
        else
            out.problems.push_back("`${" + std::string{inside} +
                                   "}` is no reference; write ${env:NAME} or ${file:PATH}");
    }
    return out;
}

} // namespace gw
