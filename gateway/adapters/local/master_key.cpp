// Reading and making the key file.
#include "adapters/local/master_key.hpp"

#include "adapters/local/private_file.hpp"
#include "domain/api_key.hpp"
#include "domain/finally.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

namespace gw::local {
namespace {

constexpr std::size_t k_hex_digits = 64;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& problem)
{
    throw std::runtime_error{"master key file " + file.string() + ": " + problem};
}

Secret decode(std::string_view hex, const std::string& where)
{
    auto bytes = hex.size() == k_hex_digits ? from_hex(hex) : std::nullopt;
    if (!bytes)
        throw std::runtime_error{
            where + " must be 64 hexadecimal digits (32 bytes), as \"openssl rand -hex 32\" prints"};
    return Secret{std::move(*bytes)};
}

Secret read_key(const std::filesystem::path& file, const FileDescriptor& opened)
{
    struct stat about {};
    if (::fstat(opened.get(), &about) < 0 || !S_ISREG(about.st_mode))
        fail(file, "is not a regular file");
    if ((about.st_mode & 077) != 0)
        fail(file, "can be read by others: chmod 600 it, and consider the key known");
    auto bytes = read_all(opened, 1024);
    if (!bytes)
        fail(file, "cannot be read: " + bytes.error().message());
    const Secret text{std::move(*bytes)};
    std::string_view hex = text.reveal();
    if (hex.ends_with('\n'))
        hex.remove_suffix(1);
    return decode(hex, "master key file " + file.string());
}

// Written whole under another name and then linked: nobody ever sees half a key, and only one can be first.
void make_key(const std::filesystem::path& file)
{
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
    if (const auto failed = make_private_folders(folder, true))
        fail(file, "its folder cannot be made: " + failed.message());
    std::array<unsigned char, 32> key;
    random_bytes(key);
    const Secret text{to_hex(key) + "\n"};
    wipe(key.data(), key.size());

    auto draft = file;
    draft += "." + unused_name();
    const auto opened = open_file(draft, O_WRONLY | O_CREAT | O_EXCL);
    if (!opened)
        fail(file, "cannot be made: " + opened.error().message());
    const Finally removed{[&] { ::unlink(draft.c_str()); }};
    if (const auto failed = write_all(*opened, text.reveal()))
        fail(file, "cannot be written: " + failed.message());
    if (const auto failed = sync_file(*opened))
        fail(file, "cannot be written: " + failed.message());
    if (::link(draft.c_str(), file.c_str()) < 0 && errno != EEXIST)
        fail(file,
             "cannot be made: " + std::string{error_code{errno, boost::system::system_category()}.message()});
    if (const auto failed = sync_folder(folder))
        fail(file, "cannot be written: " + failed.message());
}

} // namespace

std::filesystem::path key_file_of(const std::filesystem::path& folder)
{
    auto file = folder.lexically_normal();
    if (!file.has_filename()) // "data/secrets/"
        file = file.parent_path();
    file += ".key";
    return file;
}

Secret load_master_key(const std::filesystem::path& folder, const std::optional<Secret>& configured,
                       bool is_in_use)
{
    if (configured)
        return decode(configured->reveal(), "the configured master key of the sealed store");
    const auto file = key_file_of(folder);
    auto opened = open_file(file, O_RDONLY);
    if (!opened && opened.error() == boost::system::errc::no_such_file_or_directory) {
        if (is_in_use)
            fail(file, "is missing, but the store " + folder.string() +
                           " is sealed with it: restore it from its backup, or configure the master key");
        make_key(file);
        opened = open_file(file, O_RDONLY);
    }
    if (!opened)
        fail(file, "cannot be opened: " + opened.error().message());
    return read_key(file, *opened);
}

} // namespace gw::local
