// Files and folders that only this user may read, and what it takes for them to survive a crash. A thin layer
// over the system calls: every failure comes back as its errno.
#pragma once

#include "domain/errors.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace gw::local {

// Owns a file descriptor.
class FileDescriptor {
public:
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor();

    int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

// open(2), never through a symbolic link and never inherited; a created file is 0600.
result<FileDescriptor> open_file(const std::filesystem::path& file, int flags);
// The whole file; EFBIG if it is longer than `max_bytes`.
result<std::string> read_all(const FileDescriptor& file, std::size_t max_bytes);
error_code write_all(const FileDescriptor& file, std::string_view bytes);
error_code sync_file(const FileDescriptor& file);
// Makes the creation, renaming and removal of entries in this folder durable.
error_code sync_folder(const std::filesystem::path& folder);
// Overwrites all of the file with zeros and flushes it. What the device keeps elsewhere is out of reach.
error_code overwrite(const FileDescriptor& file);

// Makes the folder and those above it that are missing, 0700 each.
error_code make_private_folders(const std::filesystem::path& folder, bool durable);

// Waits for the exclusive flock(2) of this file, which is made if need be; released when the descriptor
// closes, also by a crash. Excludes threads as well as processes. ETIMEDOUT.
result<FileDescriptor> lock_file(const std::filesystem::path& file, std::chrono::milliseconds patience);

// A name that nobody else uses: 16 random characters.
std::string unused_name();

} // namespace gw::local
