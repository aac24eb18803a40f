// The stores' contracts, kept by PostgreSQL: the same suites as for SQLite.
#include "contract/audit_log_contract.hpp"
#include "contract/key_store_contract.hpp"
#include "contract/key_store_feeds_contract.hpp"
#include "contract/key_store_import_contract.hpp"
#include "contract/key_store_list_contract.hpp"
#include "contract/node_registry_contract.hpp"
#include "contract/postgres_stores.hpp"
#include "contract/quota_store_contract.hpp"
#include "contract/tenant_store_contract.hpp"
#include "contract/usage_store_contract.hpp"

using namespace gw;
using namespace gw::contract;

namespace {

const MakeStores k_make = [] { return PostgresStores::fresh(); };

} // namespace

TEST_CASE("postgres key store: creation keeps the contract", "[adapters][postgres]")
{
    key_creation_contract(k_make);
}

TEST_CASE("postgres key store: versions keep the contract", "[adapters][postgres]")
{
    key_versions_contract(k_make);
}

TEST_CASE("postgres key store: changes of a record keep the contract", "[adapters][postgres]")
{
    key_update_contract(k_make);
}

TEST_CASE("postgres key store: lists keep the contract", "[adapters][postgres]")
{
    key_list_contract(k_make);
}

TEST_CASE("postgres key store: the change sequence keeps the contract", "[adapters][postgres]")
{
    key_changes_contract(k_make);
}

TEST_CASE("postgres key store: outbox and leftovers keep the contract", "[adapters][postgres]")
{
    key_outbox_contract(k_make);
}

TEST_CASE("postgres key store: imports keep the contract", "[adapters][postgres]")
{
    key_import_contract(k_make);
}

TEST_CASE("postgres tenant store: keeps the contract", "[adapters][postgres]")
{
    tenant_store_contract(k_make);
}

TEST_CASE("postgres audit log: keeps the contract", "[adapters][postgres]")
{
    audit_log_contract(k_make);
}

TEST_CASE("postgres quota store: keeps the contract", "[adapters][postgres]")
{
    quota_store_contract(k_make);
}

TEST_CASE("postgres usage store: counts keep the contract", "[adapters][postgres]")
{
    usage_counts_contract(k_make);
}

TEST_CASE("postgres usage store: last uses keep the contract", "[adapters][postgres]")
{
    last_uses_contract(k_make);
}

TEST_CASE("postgres node registry: nodes keep the contract", "[adapters][postgres]")
{
    node_registry_nodes_contract(k_make);
}

TEST_CASE("postgres node registry: leases keep the contract", "[adapters][postgres]")
{
    node_registry_leases_contract(k_make);
}
