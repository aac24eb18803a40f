// The stores' contracts, kept by SQLite.
#include "contract/audit_log_contract.hpp"
#include "contract/key_store_contract.hpp"
#include "contract/key_store_feeds_contract.hpp"
#include "contract/key_store_import_contract.hpp"
#include "contract/key_store_list_contract.hpp"
#include "contract/node_registry_contract.hpp"
#include "contract/quota_store_contract.hpp"
#include "contract/sqlite_stores.hpp"
#include "contract/tenant_store_contract.hpp"
#include "contract/usage_store_contract.hpp"

using namespace gw;
using namespace gw::contract;

namespace {

MakeStores in(const TemporaryFolder& folder)
{
    return [&folder] { return std::make_unique<SqliteStores>(folder.path() / "portcullis.db"); };
}

} // namespace

TEST_CASE("sqlite key store: creation keeps the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_creation_contract(in(folder));
}

TEST_CASE("sqlite key store: versions keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_versions_contract(in(folder));
}

TEST_CASE("sqlite key store: changes of a record keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_update_contract(in(folder));
}

TEST_CASE("sqlite key store: lists keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_list_contract(in(folder));
}

TEST_CASE("sqlite key store: the change sequence keeps the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_changes_contract(in(folder));
}

TEST_CASE("sqlite key store: outbox and leftovers keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_outbox_contract(in(folder));
}

TEST_CASE("sqlite key store: imports keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    key_import_contract(in(folder));
}

TEST_CASE("sqlite tenant store: keeps the contract", "[adapters]")
{
    const TemporaryFolder folder;
    tenant_store_contract(in(folder));
}

TEST_CASE("sqlite audit log: keeps the contract", "[adapters]")
{
    const TemporaryFolder folder;
    audit_log_contract(in(folder));
}

TEST_CASE("sqlite quota store: keeps the contract", "[adapters]")
{
    const TemporaryFolder folder;
    quota_store_contract(in(folder));
}

TEST_CASE("sqlite usage store: counts keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    usage_counts_contract(in(folder));
}

TEST_CASE("sqlite usage store: last uses keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    last_uses_contract(in(folder));
}

TEST_CASE("sqlite node registry: nodes keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    node_registry_nodes_contract(in(folder));
}

TEST_CASE("sqlite node registry: leases keep the contract", "[adapters]")
{
    const TemporaryFolder folder;
    node_registry_leases_contract(in(folder));
}
