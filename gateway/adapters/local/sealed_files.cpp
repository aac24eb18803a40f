// The layout of a folder of sealed files:
//
//   <folder>/+lock                     held by whoever changes something
//   <folder>/+drafts/<random>          files on their way in or out, only while the lock is held
//   <folder>/+check+sealed             tells a wrong master key from a damaged entry
//   <folder>/<segment>/<segment>+sealed
//
// A file is: 8 bytes of magic | version, 8 bytes big-endian | sealed box. '+' is in no segment, so no entry
// can collide with these names, nor an entry `a` with the folder of an entry `a/b`.
#include "adapters/local/sealed_files.hpp"

#include "adapters/local/master_key.hpp"
#include "domain/finally.hpp"
#include "observe/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gw::local {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_magic{"PCSEAL\0\1", 8};
constexpr std::size_t k_head_bytes = 16;
constexpr std::size_t k_max_text_bytes = 1024 * 1024;
constexpr std::size_t k_max_file_bytes = k_max_text_bytes + 64;
constexpr std::size_t k_max_path = 1000, k_max_segment = 200;
constexpr std::string_view k_check_text = "the key fits", k_check_file = "+check+sealed";

bool is_segment(std::string_view text) noexcept
{
    if (text.empty() || text.size() > k_max_segment || text == "." || text == "..")
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
               c == '_' || c == '@' || c == '-';
    });
}

std::string head_of(std::uint64_t version)
{
    std::string head{k_magic};
    for (int shift = 56; shift >= 0; shift -= 8)
        head.push_back(static_cast<char>(version >> shift));
    return head;
}

std::uint64_t version_in(std::string_view head) noexcept
{
    std::uint64_t version = 0;
    for (const char c : head.substr(k_magic.size(), 8))
        version = version << 8 | static_cast<unsigned char>(c);
    return version;
}

errc report(std::string_view event, std::string_view path, const error_code& cause)
{
    log(LogLevel::error, event, {{"path", path}, {"cause", cause.message()}});
    return errc::unavailable;
}

errc report_corrupt(std::string_view path)
{
    log(LogLevel::error, "sealed_files.corrupt",
        {{"path", path}, {"cause", "the file does not authenticate"}});
    return errc::corrupt;
}

bool is_missing(const error_code& error) noexcept
{
    return error == boost::system::errc::no_such_file_or_directory;
}

// A missing key file must not be replaced by a new key if any of the stores that share it has been sealed.
bool is_any_store_sealed(const fs::path& key_folder)
{
    if (!fs::exists(key_folder))
        return false;
    return std::any_of(fs::directory_iterator{key_folder}, fs::directory_iterator{}, [](const auto& store) {
        std::error_code ignored;
        return fs::exists(store.path() / k_check_file, ignored);
    });
}

error_code code_of_errno() noexcept
{
    return {errno, boost::system::system_category()};
}

} // namespace

struct SealedFiles::Place {
    std::string path;
    fs::path file;

    // What the box authenticates. The head has a fixed length, so that no two labels can be read as each
    // other.
    std::string label(std::uint64_t version) const { return head_of(version) + path; }
};

SealedFiles::SealedFiles(fs::path folder, const fs::path& key_folder, const std::optional<Secret>& master_key,
                         std::string_view purpose, Durability durability,
                         std::chrono::milliseconds lock_patience)
    : folder_(std::move(folder)), drafts_(folder_ / "+drafts"),
      box_(load_master_key(key_folder, master_key, is_any_store_sealed(key_folder)), purpose),
      durable_(durability == Durability::durable), lock_patience_(lock_patience)
{
    prepare_folder();
    check_key();
}

void SealedFiles::prepare_folder()
{
    const auto fail = [&](const std::string& why) {
        throw std::runtime_error{"sealed store " + folder_.string() + ": " + why};
    };
    if (const auto failed = make_private_folders(drafts_, true))
        fail("its folder cannot be made: " + failed.message());
    std::error_code failed;
    fs::permissions(folder_, fs::perms::owner_all, failed); // it may have been there before us
    if (failed)
        fail("its folder cannot be made private: " + failed.message());
    const auto locked = lock();
    if (!locked)
        fail("cannot be locked");
    // Drafts live only under the lock, which is ours: these are what a crash left behind.
    for (const auto& leftover : fs::directory_iterator{drafts_, failed}) {
        if (const auto opened = open_file(leftover.path(), O_WRONLY))
            (void)overwrite(*opened);
        ::unlink(leftover.path().c_str());
    }
}

void SealedFiles::check_key()
{
    const Place place{"+check", folder_ / k_check_file};
    const auto locked = lock();
    if (!locked)
        throw std::runtime_error{"sealed store " + folder_.string() + ": cannot be locked"};
    const auto found = load(place);
    if (!found && found.error() == errc::corrupt)
        throw std::runtime_error{
            "sealed store " + folder_.string() +
            ": was sealed with another master key (or +check+sealed is damaged); give it the key "
            "it was made with"};
    if (!found || (!*found && !replace(place, Secret{std::string{k_check_text}}, 1)))
        throw std::runtime_error{"sealed store " + folder_.string() + ": cannot be read or written"};
}

result<std::optional<SealedEntry>> SealedFiles::read(std::string_view path) const
{
    const auto place = place_of(path);
    if (!place)
        return place.error();
    auto found = load(*place);
    if (found || found.error() != errc::corrupt)
        return found;
    // Perhaps it was being destroyed under our eyes: once more, while nobody changes anything.
    const auto locked = lock();
    if (!locked)
        return locked.error();
    found = load(*place);
    if (!found && found.error() == errc::corrupt)
        return report_corrupt(place->path);
    return found;
}

result<std::uint64_t> SealedFiles::write(std::string_view path, const Secret& text, std::uint64_t expected)
{
    const auto place = place_of(path);
    if (!place)
        return place.error();
    if (text.reveal().size() > k_max_text_bytes)
        return errc::invalid;
    const auto locked = lock();
    if (!locked)
        return locked.error();
    const auto current = load(*place);
    if (!current)
        return current.error() == errc::corrupt ? report_corrupt(place->path) : current.error();
    const std::uint64_t version = *current ? (*current)->version : 0;
    if (version != expected)
        return errc::conflict;
    return replace(*place, text, version + 1);
}

result<void> SealedFiles::destroy(std::string_view path)
{
    const auto place = place_of(path);
    if (!place)
        return place.error();
    const auto locked = lock();
    if (!locked)
        return locked.error();
    const auto failed = remove_file(*place);
    if (failed && !is_missing(failed))
        return report("sealed_files.destroy_failed", place->path, failed);
    return {};
}

result<FileDescriptor> SealedFiles::lock() const
{
    auto locked = lock_file(folder_ / "+lock", lock_patience_);
    if (!locked)
        return report("sealed_files.lock_failed", folder_.native(), locked.error());
    return locked;
}

result<SealedFiles::Place> SealedFiles::place_of(std::string_view path) const
{
    if (path.size() > k_max_path)
        return errc::invalid;
    Place place{std::string{path}, folder_};
    for (;;) {
        const std::size_t slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        if (!is_segment(segment))
            return errc::invalid;
        if (slash == path.npos) {
            place.file /= std::string{segment} + "+sealed";
            return place;
        }
        place.file /= segment;
        path.remove_prefix(slash + 1);
    }
}

result<std::optional<SealedEntry>> SealedFiles::load(const Place& place) const
{
    const auto opened = open_file(place.file, O_RDONLY);
    if (!opened && is_missing(opened.error()))
        return std::optional<SealedEntry>{};
    if (!opened)
        return report("sealed_files.read_failed", place.path, opened.error());
    const auto bytes = read_all(*opened, k_max_file_bytes);
    if (!bytes && bytes.error() == boost::system::errc::file_too_large)
        return errc::corrupt;
    if (!bytes)
        return report("sealed_files.read_failed", place.path, bytes.error());
    if (bytes->size() < k_head_bytes || !bytes->starts_with(k_magic))
        return errc::corrupt;
    const std::uint64_t version = version_in(*bytes);
    auto text = box_.open(std::string_view{*bytes}.substr(k_head_bytes), place.label(version));
    if (!text)
        return text.error();
    SealedEntry entry{std::move(*text), version};
    return std::optional<SealedEntry>{std::move(entry)};
}

result<std::uint64_t> SealedFiles::replace(const Place& place, const Secret& text, std::uint64_t version)
{
    const std::string bytes = head_of(version) + box_.seal(text.reveal(), place.label(version));
    if (const auto failed = write_file(place, bytes))
        return report("sealed_files.write_failed", place.path, failed);
    return version;
}

// A draft that is whole and on the disk before it takes its name, so that a crash at any point leaves the old
// entry or the new one. The old one is overwritten last, when nothing can lead back to it.
error_code SealedFiles::write_file(const Place& place, std::string_view bytes) const
{
    const auto parent = place.file.parent_path();
    if (const auto failed = make_private_folders(parent, durable_))
        return failed;
    const auto draft = drafts_ / unused_name();
    const auto opened = open_file(draft, O_WRONLY | O_CREAT | O_EXCL);
    if (!opened)
        return opened.error();
    bool in_place = false;
    const Finally removed{[&] {
        if (!in_place)
            ::unlink(draft.c_str());
    }};
    if (const auto failed = write_all(*opened, bytes))
        return failed;
    if (durable_)
        if (const auto failed = sync_file(*opened))
            return failed;
    const auto old = open_file(place.file, O_WRONLY);
    if (::rename(draft.c_str(), place.file.c_str()) < 0)
        return code_of_errno();
    in_place = true;
    if (!durable_)
        return {};
    if (const auto failed = sync_folder(parent))
        return failed;
    // The write has succeeded whether or not this does.
    if (const auto failed = old ? overwrite(*old) : error_code{})
        log(LogLevel::warn, "sealed_files.overwrite_failed",
            {{"path", place.path}, {"cause", failed.message()}});
    return {};
}

error_code SealedFiles::remove_file(const Place& place) const
{
    const auto draft = drafts_ / unused_name();
    if (::rename(place.file.c_str(), draft.c_str()) < 0)
        return code_of_errno();
    if (durable_)
        if (const auto failed = sync_folder(place.file.parent_path()))
            return failed;
    const auto opened = open_file(draft, O_WRONLY);
    const error_code failed = !opened ? opened.error() : durable_ ? overwrite(*opened) : error_code{};
    if (::unlink(draft.c_str()) < 0)
        return code_of_errno();
    return failed;
}

} // namespace gw::local
