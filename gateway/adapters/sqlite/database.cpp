#include "adapters/sqlite/database.hpp"

#include "adapters/sqlite/migrations.hpp"

namespace gw::sqlite {

namespace {

const std::filesystem::path& up_to_date(const std::filesystem::path& file, std::string_view kind,
                                        bool migrate)
{
    const auto migrations = Migrations::embedded(kind);
    if (migrate)
        migrations.apply(file);
    else if (!migrations.plan(file).empty())
        throw SqliteError{errc::conflict,
                          file.string() + " is missing or not up to date: run `portcullis migrate`"};
    return file;
}

} // namespace

Database::Database(const std::filesystem::path& file) : Database(file, Options{}) {}

Database::Database(const std::filesystem::path& file, Options options)
    : options_(options),
      main_(up_to_date(file, "main", options.migrate), Connection::Durability::full, options.readers),
      usage_(up_to_date(usage_file(file), "usage", options.migrate), Connection::Durability::normal,
             options.readers)
{
}

std::filesystem::path Database::usage_file(const std::filesystem::path& file)
{
    auto name = file.stem();
    name += "-usage";
    name += file.extension();
    return file.parent_path() / name;
}

std::vector<std::string> Database::plan(const std::filesystem::path& file)
{
    auto names = Migrations::embedded("main").plan(file);
    for (auto& name : Migrations::embedded("usage").plan(usage_file(file)))
        names.push_back(std::move(name));
    return names;
}

} // namespace gw::sqlite
