// ${env:} and ${file:}: resolving, and what cannot be resolved.
#include "settings/references.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace gw;

namespace {

// A folder with one file, gone with the test.
class Folder {
public:
    Folder()
        : path_(std::filesystem::temp_directory_path() /
                ("portcullis-references-" + std::to_string(::getpid())))
    {
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& name, const std::string& content) const
    {
        std::ofstream{path_ / name} << content;
    }
    std::string str() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

ReferenceSources in_folder(const std::string& directory)
{
    ReferenceSources sources;
    sources.directory = directory;
    return sources;
}

} // namespace

TEST_CASE("references: a text without one stays as it is", "[settings]")
{
    const Expanded expanded = expand_references("a $b {c} $", in_folder(""));
    CHECK(expanded.text == "a $b {c} $");
    CHECK_FALSE(expanded.has_reference);
    CHECK(expanded.problems.empty());
}

TEST_CASE("references: variables stand alone or inside a value", "[settings]")
{
    ::setenv("GW_TEST_HOST", "10.0.0.1", 1);
    ::setenv("GW_TEST_PORT", "80", 1);
    CHECK(expand_references("${env:GW_TEST_HOST}", in_folder("")).text == "10.0.0.1");
    const Expanded both = expand_references("http://${env:GW_TEST_HOST}:${env:GW_TEST_PORT}/", in_folder(""));
    CHECK(both.text == "http://10.0.0.1:80/");
    CHECK(both.has_reference);
}

TEST_CASE("references: a value is not expanded a second time", "[settings]")
{
    ::setenv("GW_TEST_NESTED", "${env:GW_TEST_HOST}", 1);
    CHECK(expand_references("${env:GW_TEST_NESTED}", in_folder("")).text == "${env:GW_TEST_HOST}");
}

TEST_CASE("references: a file's last line end is not part of its value", "[settings]")
{
    const Folder folder;
    folder.write("unix", "secret\n");
    folder.write("dos", "secret\r\n");
    folder.write("two", "a\n\n");
    CHECK(expand_references("${file:unix}", in_folder(folder.str())).text == "secret");
    CHECK(expand_references("${file:dos}", in_folder(folder.str())).text == "secret");
    CHECK(expand_references("${file:two}", in_folder(folder.str())).text == "a\n");
    CHECK(expand_references("${file:" + folder.str() + "/unix}", in_folder("/elsewhere")).text == "secret");
}

TEST_CASE("references: what cannot be resolved is a problem that names it", "[settings]")
{
    ::unsetenv("GW_TEST_UNSET");
    const Folder folder;
    folder.write("large", std::string(64 * 1024 + 1, 'x'));
    auto [text, problem] = GENERATE(table<std::string, std::string>({
        {"${env:GW_TEST_UNSET}", "GW_TEST_UNSET is not set"},
        {"${env:}", "not a name"},
        {"${env:1A}", "not a name"},
        {"${env:A B}", "not a name"},
        {"${file:missing}", "there is no file"},
        {"${file:.}", "there is no file"},
        {"${file:}", "needs a path"},
        {"${file:large}", "larger than 64 KiB"},
        {"${env:X", "without its closing brace"},
        {"${vault:a#b}", "`stores.secrets.vault` is missing"},
        {"${vault:a}", "needs a path and a field"},
        {"${vault:#b}", "needs a path and a field"},
        {"${HOME}", "is no reference"},
    }));
    INFO(text);
    const Expanded expanded = expand_references(text, in_folder(folder.str()));
    REQUIRE(expanded.problems.size() == 1);
    CHECK_THAT(expanded.problems[0], Catch::Contains(problem));
    CHECK(expanded.has_reference);
}

TEST_CASE("references: every one that fails is told", "[settings]")
{
    CHECK(expand_references("${env:}${file:}${x}", in_folder("")).problems.size() == 3);
}

TEST_CASE("references: a text in the Vault", "[settings]")
{
    const ReadVault vault = [](const std::string& path, const std::string& field) -> result<std::optional<Secret>> {
        if (path == "down")
            return make_error_code(errc::unavailable);
        if (path != "mail/smtp" || field != "password")
            return std::optional<Secret>{};
        return std::optional<Secret>{Secret{std::string{"hunter2"}}};
    };
    ReferenceSources sources;
    sources.vault = &vault;
    CHECK(expand_references("x${vault:mail/smtp#password}y", sources).text == "xhunter2y");
    const auto problem_of = [&](const char* text) {
        const Expanded expanded = expand_references(text, sources);
        REQUIRE(expanded.problems.size() == 1);
        return expanded.problems[0];
    };
    CHECK_THAT(problem_of("${vault:mail/smtp#user}"), Catch::Contains("no text at mail/smtp#user"));
    CHECK_THAT(problem_of("${vault:down#x}"), Catch::Contains("cannot be asked for down"));
    sources.leads_to_vault = true;
    CHECK_THAT(problem_of("${vault:mail/smtp#password}"), Catch::Contains("cannot lie in it"));
}

TEST_CASE("references: a Vault that is wanted and not there is told apart from what is wrong", "[settings]")
{
    CHECK(expand_references("${vault:a#b}", {}).wants_vault);
    CHECK_FALSE(expand_references("${vault:a}", {}).wants_vault);
    CHECK_FALSE(expand_references("${env:}", {}).wants_vault);
}
