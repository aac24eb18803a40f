// An empty folder for the sealed stores, and what the tests do to its files behind the stores' backs.
#pragma once

#include "contract/contexts.hpp"
#include "contract/scratch_folder.hpp"
#include "net/offload.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace gw {

// Both stores take the same arguments: Store is local::SecretVault or local::DigestStore.
template <class Store>
class LocalWorld {
public:
    std::unique_ptr<Store> open(asio::io_context&)
    {
        return std::make_unique<Store>(folder(), std::nullopt, *pool_);
    }

    asio::io_context& context() { return contexts_->fresh(); }

    std::filesystem::path folder() const { return scratch_->path() / "data" / "secrets"; }
    std::filesystem::path key_file() const { return scratch_->path() / "data" / "secrets.key"; }
    BlockingPool& pool() noexcept { return *pool_; }

private:
    std::unique_ptr<ScratchFolder> scratch_ = std::make_unique<ScratchFolder>();
    std::unique_ptr<Contexts> contexts_ = std::make_unique<Contexts>();
    std::unique_ptr<BlockingPool> pool_ = std::make_unique<BlockingPool>(4);
};

inline std::string bytes_of(const std::filesystem::path& file)
{
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline void put_bytes(const std::filesystem::path& file, std::string_view bytes)
{
    std::ofstream out{file, std::ios::binary | std::ios::trunc};
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Every regular file below, entries and all else.
inline std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder})
        if (entry.is_regular_file())
            files.push_back(entry.path());
    return files;
}

// The one file whose name starts so.
inline std::filesystem::path file_named(const std::filesystem::path& folder, std::string_view start)
{
    for (const auto& file : files_below(folder))
        if (file.filename().string().starts_with(start))
            return file;
    throw std::runtime_error{"no such file: " + std::string{start}};
}

} // namespace gw
