// The local vault: the contract, and what happens to its files behind its back.
#include "adapters/local/secret_vault.hpp"

#include "contract/local_world.hpp"
#include "contract/secret_vault_contract.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace gw;

namespace {

using LocalVaultWorld = LocalWorld<local::SecretVault>;

// A vault with two entries of the same size.
struct Filled {
    LocalVaultWorld world;
    asio::io_context& context = world.context();
    std::unique_ptr<local::SecretVault> vault = world.open(context);

    Filled()
    {
        REQUIRE(run(context, vault->write("keys/first", Secret{std::string{"the first secret"}}, 0)));
        REQUIRE(run(context, vault->write("keys/other", Secret{std::string{"the other secret"}}, 0)));
    }

    std::filesystem::path file(std::string_view name) const { return file_named(world.folder(), name); }
    error_code read_error(const std::string& path)
    {
        const auto found = run(context, vault->read(path));
        return found ? error_code{} : found.error();
    }
};

unsigned mode_of(const std::filesystem::path& path)
{
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 07777u;
}

std::string message_of_opening(LocalVaultWorld& world, const std::optional<Secret>& key)
{
    try {
        const local::SecretVault vault{world.folder(), key, world.pool()};
        return "opened";
    } catch (const std::runtime_error& failure) {
        return failure.what();
    }
}

} // namespace

TEST_CASE("local vault: keeps the contract", "[contract]")
{
    secret_vault_contract([] { return LocalVaultWorld{}; });
}

TEST_CASE("local vault: a vault opened again has all that was written", "[contract]")
{
    Filled filled;
    filled.vault.reset();
    const auto again = filled.world.open(filled.context);
    const auto found = run(filled.context, again->read("keys/first"));
    REQUIRE((found && *found));
    CHECK((*found)->data.reveal() == "the first secret");
}

TEST_CASE("local vault: nothing on the disk is readable text or readable by others", "[contract]")
{
    Filled filled;
    const auto files = files_below(filled.world.folder());
    CHECK(files.size() == 4); // two entries, the check file and the lock
    for (const auto& file : files) {
        INFO(file.filename());
        CHECK(mode_of(file) == 0600);
        CHECK(bytes_of(file).find("secret") == std::string::npos);
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator{filled.world.folder()})
        if (entry.is_directory())
            CHECK(mode_of(entry.path()) == 0700);
    CHECK(mode_of(filled.world.key_file()) == 0600);
    CHECK(bytes_of(filled.world.key_file()).size() == 65);
}

TEST_CASE("local vault: the same text is sealed differently each time", "[contract]")
{
    Filled filled;
    const Secret text{std::string{"same"}};
    REQUIRE(run(filled.context, filled.vault->write("keys/first", text, 1)));
    const std::string before = bytes_of(filled.file("first"));
    REQUIRE(run(filled.context, filled.vault->write("keys/first", text, 2)));
    const std::string after = bytes_of(filled.file("first"));
    CHECK(before.substr(16, 12) != after.substr(16, 12));
    CHECK(before.substr(28) != after.substr(28));
}

TEST_CASE("local vault: any changed bit makes the entry corrupt", "[contract]")
{
    Filled filled;
    const auto file = filled.file("first");
    const std::string good = bytes_of(file);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string damaged = good;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        put_bytes(file, damaged);
        INFO("bit " << bit);
        CHECK(filled.read_error("keys/first") == errc::corrupt);
    }
    put_bytes(file, good);
    CHECK_FALSE(filled.read_error("keys/first").failed());
}

TEST_CASE("local vault: a cut, lengthened or empty file is corrupt", "[contract]")
{
    Filled filled;
    const auto file = filled.file("first");
    const std::string good = bytes_of(file);
    for (std::size_t size = 0; size < good.size(); ++size) {
        put_bytes(file, good.substr(0, size));
        CHECK(filled.read_error("keys/first") == errc::corrupt);
    }
    put_bytes(file, good + '\0');
    CHECK(filled.read_error("keys/first") == errc::corrupt);
    put_bytes(file, good + std::string(3 * 1024 * 1024, 'x'));
    CHECK(filled.read_error("keys/first") == errc::corrupt);
}

TEST_CASE("local vault: a file under another entry's name is corrupt", "[contract]")
{
    Filled filled;
    const auto first = filled.file("first"), other = filled.file("other");
    const std::string first_bytes = bytes_of(first), other_bytes = bytes_of(other);
    put_bytes(first, other_bytes);
    put_bytes(other, first_bytes);
    CHECK(filled.read_error("keys/first") == errc::corrupt);
    CHECK(filled.read_error("keys/other") == errc::corrupt);
}

TEST_CASE("local vault: a corrupt entry is not overwritten, but can be destroyed", "[contract]")
{
    Filled filled;
    put_bytes(filled.file("first"), "garbage");
    const auto written =
        run(filled.context, filled.vault->write("keys/first", Secret{std::string{"new"}}, 1));
    CHECK(fault_of(written) == errc::corrupt);
    CHECK(run(filled.context, filled.vault->destroy("keys/first")));
    CHECK(run(filled.context, filled.vault->write("keys/first", Secret{std::string{"new"}}, 0)));
}

TEST_CASE("local vault: destroying and replacing overwrite the old file, not only unlink it", "[contract]")
{
    Filled filled;
    const bool destroy = GENERATE(true, false);
    // A second name keeps the old file within reach, as a snapshot of the disk would.
    const auto kept = filled.world.folder() / "kept";
    std::filesystem::create_hard_link(filled.file("first"), kept);
    if (destroy)
        REQUIRE(run(filled.context, filled.vault->destroy("keys/first")));
    else
        REQUIRE(run(filled.context, filled.vault->write("keys/first", Secret{std::string{"new"}}, 1)));
    const std::string left = bytes_of(kept);
    CHECK_FALSE(left.empty());
    CHECK(left.find_first_not_of('\0') == std::string::npos);
}

TEST_CASE("local vault: what a crash left half-way is cleared at the next start", "[contract]")
{
    Filled filled;
    const auto leftover = filled.world.folder() / "entries" / "+drafts" / "abc";
    put_bytes(leftover, "half a file");
    filled.vault = filled.world.open(filled.context);
    CHECK_FALSE(std::filesystem::exists(leftover));
    CHECK_FALSE(filled.read_error("keys/first").failed());
}

TEST_CASE("local vault: a configured master key makes no file, and another one is refused in words",
          "[contract]")
{
    LocalVaultWorld world;
    const Secret key{std::string(64, 'a')}, wrong{std::string(63, 'a') + "b"};
    CHECK(message_of_opening(world, key.clone()) == "opened");
    CHECK_FALSE(std::filesystem::exists(world.key_file()));
    CHECK(message_of_opening(world, key.clone()) == "opened");
    CHECK_THAT(message_of_opening(world, wrong.clone()), Catch::Contains("another master key"));
}

TEST_CASE("local vault: a master key that is no key is refused without being shown", "[contract]")
{
    LocalVaultWorld world;
    const std::string bad = GENERATE(as<std::string>{}, "", "hunter2", std::string(64, 'g'),
                                     std::string(65, 'a'), std::string(62, 'a'));
    const std::string message = message_of_opening(world, Secret{bad});
    CHECK_THAT(message, Catch::Contains("64 hexadecimal digits"));
    if (!bad.empty())
        CHECK(message.find(bad) == std::string::npos);
}

TEST_CASE("local vault: a lost key file is an error, never replaced by a new key", "[contract]")
{
    Filled filled;
    std::filesystem::remove(filled.world.key_file());
    CHECK_THAT(message_of_opening(filled.world, {}),
               Catch::Contains("is missing") && Catch::Contains("restore"));
    CHECK_FALSE(std::filesystem::exists(filled.world.key_file()));
}

TEST_CASE("local vault: a key file that others can read, or with other content, is refused", "[contract]")
{
    Filled filled;
    ::chmod(filled.world.key_file().c_str(), 0640);
    CHECK_THAT(message_of_opening(filled.world, {}), Catch::Contains("chmod 600"));
    ::chmod(filled.world.key_file().c_str(), 0600);
    put_bytes(filled.world.key_file(), "short\n");
    CHECK_THAT(message_of_opening(filled.world, {}), Catch::Contains("64 hexadecimal digits"));
}

TEST_CASE("local vault: many first starts at once agree on one key", "[contract]")
{
    LocalVaultWorld world;
    constexpr int nodes = 8;
    std::atomic<int> waiting{nodes}, opened{0};
    std::vector<std::thread> threads;
    for (int node = 0; node < nodes; ++node)
        threads.emplace_back([&, node] {
            for (--waiting; waiting.load() > 0;)
                std::this_thread::yield();
            asio::io_context& context = world.context();
            const auto vault = world.open(context);
            const Secret text{"node " + std::to_string(node)};
            if (run(context, vault->write("node-" + std::to_string(node), text, 0)))
                ++opened;
        });
    for (auto& thread : threads)
        thread.join();
    REQUIRE(opened == nodes);

    asio::io_context& context = world.context();
    const auto vault = world.open(context);
    for (int node = 0; node < nodes; ++node)
        CHECK(detail::text_at(context, *vault, "node-" + std::to_string(node)) ==
              "node " + std::to_string(node));
    CHECK(files_below(world.folder().parent_path()).size() ==
          nodes + 3); // entries, check, lock, and one key file
}

TEST_CASE("local vault: readers never see half an entry while it is replaced and destroyed", "[contract]")
{
    LocalVaultWorld world;
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0}, reads{0};
    std::thread reader{[&] {
        asio::io_context& context = world.context();
        const auto vault = world.open(context);
        while (!stop) {
            const auto found = run(context, vault->read("keys/hot"));
            if (!found || (*found && (*found)->data.reveal().size() != 2000))
                ++wrong;
            ++reads;
        }
    }};
    asio::io_context& context = world.context();
    const auto vault = world.open(context);
    bool written = true;
    for (int round = 0; round < 100 || reads < 100; ++round) {
        const Secret text{std::string(2000, 'x')};
        written = written && run(context, vault->write("keys/hot", text, 0)) &&
                  run(context, vault->write("keys/hot", text, 1)) && run(context, vault->destroy("keys/hot"));
    }
    stop = true;
    reader.join();
    CHECK(written);
    CHECK(wrong == 0);
}

TEST_CASE("local vault: a stopped process that holds the lock makes writes fail, and reads go on",
          "[contract]")
{
    const ScratchFolder scratch;
    const auto folder = scratch.path() / "data";
    constexpr auto durability = local::SealedFiles::Durability::best_effort;
    local::SealedFiles files{folder / "store", folder,     std::nullopt,
                             "test",           durability, std::chrono::milliseconds{20}};
    REQUIRE(files.write("entry", Secret{std::string{"old"}}, 0));
    const int held = ::open((folder / "store" / "+lock").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(::flock(held, LOCK_EX) == 0);

    const auto found = files.read("entry");
    REQUIRE((found && *found));
    CHECK((*found)->text.reveal() == "old");
    const auto written = files.write("entry", Secret{std::string{"new"}}, 1);
    CHECK(fault_of(written) == errc::unavailable);

    ::close(held);
    CHECK(files.write("entry", Secret{std::string{"new"}}, 1));
}
