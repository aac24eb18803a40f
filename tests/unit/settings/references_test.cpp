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

} // namespace

TEST_CASE("references: a text without one stays as it is", "[settings]")
{
    const Expanded expanded = expand_references("a $b {c} $", "");
    CHECK(expanded.text == "a $b {c} $");
    CHECK_FALSE(expanded.has_reference);
    CHECK(expanded.problems.empty());
}

TEST_CASE("references: variables stand alone or inside a value", "[settings]")
{
    ::setenv("GW_TEST_HOST", "10.0.0.1", 1);
    ::setenv("GW_TEST_PORT", "80", 1);
    CHECK(expand_references("${env:GW_TEST_HOST}", "").text == "10.0.0.1");
    const Expanded both = expand_references("http://${env:GW_TEST_HOST}:${env:GW_TEST_PORT}/", "");
    CHECK(both.text == "http://10.0.0.1:80/");
    CHECK(both.has_reference);
}

TEST_CASE("references: a value is not expanded a second time", "[settings]")
{
    ::setenv("GW_TEST_NESTED", "${env:GW_TEST_HOST}", 1);
    CHECK(expand_references("${env:GW_TEST_NESTED}", "").text == "${env:GW_TEST_HOST}");
}

TEST_CASE("references: a file's last line end is not part of its value", "[settings]")
{
    const Folder folder;
    folder.write("unix", "secret\n");
    folder.write("dos", "secret\r\n");
    folder.write("two", "a\n\n");
    CHECK(expand_references("${file:unix}", folder.str()).text == "secret");
    CHECK(expand_references("${file:dos}", folder.str()).text == "secret");
    CHECK(expand_references("${file:two}", folder.str()).text == "a\n");
    CHECK(expand_references("${file:" + folder.str() + "/unix}", "/elsewhere").text == "secret");
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
        {"${vault:a#b}", "not built yet"},
        {"${HOME}", "is no reference"},
    }));
    INFO(text);
    const Expanded expanded = expand_references(text, folder.str());
    REQUIRE(expanded.problems.size() == 1);
    CHECK_THAT(expanded.problems[0], Catch::Contains(problem));
    CHECK(expanded.has_reference);
}

TEST_CASE("references: every one that fails is told", "[settings]")
{
    CHECK(expand_references("${env:}${file:}${x}", "").problems.size() == 3);
}
