// F1: test mappings of runs that were killed are removed by whoever runs next, and nothing else is.
#include "leftovers.hpp"

#include <stdlib.h>
#include <catch2/catch.hpp>

#include <fake_host.hpp>
#include <fstream>
#include <p2pdiag/run_until.hpp>

#include "checks.hpp"
#include "fake/igd.hpp"
#include "fake/port_control_server.hpp"
#include "mapping_trials.hpp"
#include "test_record.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using namespace p2pdiag::upnp_plugin;

namespace {

// For all tests of this program: none of them looks at the state of whoever runs it.
class OwnState {
public:
    OwnState() {
        std::string name = (std::filesystem::temp_directory_path() / "p2pdiag-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
        ::setenv("P2PDIAG_STATE_DIR", path_.c_str(), 1);
    }
    ~OwnState() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    OwnState(const OwnState&) = delete;
    OwnState& operator=(const OwnState&) = delete;

private:
    std::filesystem::path path_;
};
const OwnState own_state;

const IpAddress here = IpAddress::v4(0x7f000001);
const FakeMapping somebodys{"UDP", 8000, "192.168.1.7", 8000, "Skype", 600};

portmap::Service service_of(const FakeIgd& router) {
    portmap::Service service;
    service.router = router.address();
    service.local = here;
    service.control_url = router.control_url();
    service.service_type = "urn:schemas-upnp-org:service:WANIPConnection:1";
    return service;
}

portmap::Service service_of(const PortControlServer& router, portmap::Protocol protocol) {
    portmap::Service service;
    service.protocol = protocol;
    service.router = router.address();
    service.local = here;
    return service;
}

std::shared_ptr<MappingSession> a_run(const std::string& id, portmap::Service service) {
    auto session = std::make_shared<MappingSession>();
    session->id = id;
    session->test.target_port = 8000;
    auto record = TestRecord::begin(*test_record_dir(), id);
    REQUIRE(record);
    session->record.emplace(std::move(*record));
    Trial trial;
    trial.offer.service = std::move(service);
    trial.offer.router_name = "router";
    session->test.trials.push_back(std::move(trial));
    return session;
}

// A run as far as `standing`, that is while its mapping is there; then it is gone without a word,
// as after kill -9. What it asked for stays in the router.
template <class Standing>
std::shared_ptr<MappingSession> until_it_stands(std::shared_ptr<MappingSession> session,
                                                Standing standing) {
    for (Milliseconds after(1); !standing() && after < Milliseconds(10'000); after *= 2) {
        session->test.trials[0].removed.reset();
        run_until(-1, Clock::now() + after, run_trials(session));
    }
    REQUIRE(standing());
    return session;
}

Leftovers remove() {
    const auto result = std::make_shared<Leftovers>();
    run_until(-1, TimePoint::max(), remove_leftovers(result));
    return *result;
}

std::vector<std::string> ids() { return test_ids(*test_record_dir()); }

// What the record of a run that was killed says that it asked for.
void write_record(const std::string& id, portmap::Service service, std::int64_t asked_at) {
    Try asked;
    asked.service = std::move(service);
    asked.router_name = "router";
    asked.request.internal_port = asked.request.external_port = 8001;
    asked.request.lifetime = portmap::Seconds(120);
    asked.request.lease_only = true;
    auto file = TestRecord::begin(*test_record_dir(), id);
    REQUIRE(file);
    file->write(Step{{asked}}, Record{{{0, asked_at, std::nullopt}}});
}

}  // namespace

TEST_CASE("F1: a run that ends by itself leaves no record") {
    const FakeIgd router;
    auto session = a_run("00000001", service_of(router));
    run_until(-1, TimePoint::max(), run_trials(session));
    CHECK(session->test.trials[0].removed->has_value());
    CHECK(ids().empty());
    CHECK(router.table().empty());
}

TEST_CASE("F1: what a killed run left is removed by the next, somebody else's is not") {
    FakeIgdOptions options;
    options.table = {somebodys};
    // It says no to the removal, as a router that is cut off would say nothing.
    options.errors["DeletePortMapping"] = 501;
    std::vector<FakeMapping> left;
    {
        const FakeIgd router(options);
        auto session = a_run("00000002", service_of(router));
        run_until(-1, TimePoint::max(), run_trials(session));
        REQUIRE(router.table().size() == 2);
        left = router.table();
        CHECK(ids() == std::vector<std::string>{"00000002"});
        // While it runs it is not for others.
        CHECK(remove().removed.empty());
        CHECK(ids().size() == 1);
        session.reset();
        // Not gone, so the record stays.
        const Leftovers tried = remove();
        CHECK(tried.removed.empty());
        CHECK(tried.left.size() == 1);
        CHECK(ids().size() == 1);
        CHECK(router.table() == left);
        options.address = router.address();
    }
    options.errors.clear();
    options.table = left;
    const FakeIgd router(options);
    write_record("00000002", service_of(router), now_in_seconds());
    const Leftovers done = remove();
    REQUIRE(done.removed.size() == 1);
    CHECK(done.removed[0] == "UDP port 8001 by UPnP of router");
    CHECK(done.left.empty());
    CHECK(router.table() == std::vector{somebodys});
    CHECK(ids().empty());
}

TEST_CASE("F1: by NAT-PMP and PCP the record alone knows of it") {
    for (const auto protocol : {portmap::Protocol::natpmp, portmap::Protocol::pcp}) {
        PortControlServer router;
        const auto standing = [&] { return !router.mappings().empty(); };
        router.misbehave(PortControlFault::keeps);
        auto session = until_it_stands(a_run("00000003", service_of(router, protocol)), standing);
        router.misbehave(PortControlFault::none);
        CHECK(ids().size() == 1);
        session.reset();
        const Leftovers done = remove();
        CHECK(done.removed.size() == 1);
        CHECK(router.mappings().empty());
        CHECK(ids().empty());
    }
}

TEST_CASE("F1: what there was no time for is named") {
    PortControlServer router;
    router.misbehave(PortControlFault::silent);
    for (const char* id : {"00000006", "00000007", "00000008"}) {
        write_record(id, service_of(router, portmap::Protocol::pcp), now_in_seconds());
    }
    const Leftovers tried = remove();
    CHECK(tried.removed.empty());
    REQUIRE(tried.left.size() == 3);
    for (const std::string& what : tried.left) {
        CHECK(what.starts_with("UDP port 8001 by PCP of router: "));
    }
    CHECK(tried.left.back().ends_with("the router took too long"));
    CHECK(ids().size() == 3);
    router.misbehave(PortControlFault::none);
    CHECK(remove().removed.size() == 3);
    CHECK(ids().empty());
}

TEST_CASE("F1: what the router must have forgotten by now is forgotten here") {
    PortControlServer router;
    router.misbehave(PortControlFault::refused);
    portmap::Service service = service_of(router, portmap::Protocol::pcp);
    service.router = IpAddress::v4(0x7f0000fe);  // nobody
    write_record("00000004", service, now_in_seconds());
    CHECK(remove().left.size() == 1);
    CHECK(ids().size() == 1);
    write_record("00000004", service, now_in_seconds() - 181);
    const Leftovers over = remove();
    CHECK(over.left.empty());
    CHECK(over.removed.empty());
    CHECK(ids().empty());
}

TEST_CASE("F1: a forward of the same port finds it free") {
    FakeIgdOptions options;
    options.table = {{"UDP", 8001, "127.0.0.1", 8001, "p2pdiag 00000005", 120}};
    const FakeIgd router(options);
    write_record("00000005", service_of(router), now_in_seconds());
    Try forward;
    forward.service = service_of(router);
    forward.router_name = "router";
    forward.request.internal_port = forward.request.external_port = 8001;
    forward.request.lifetime = portmap::Seconds(600);
    constexpr p2pdiag_change change_of_ports =
        change<plan_forward, apply_forward, verify_forward, revert_forward, keep_forward>(
            {.id = "upnp.forward", .title = "t"});
    FakeHost host;
    const json::object input{
        {"id", "0123abcd"}, {"step", to_json(Step{{forward}})}, {"input", json::object()}};
    CHECK(host.run(change_of_ports.apply, json::to_text(input)) == P2PDIAG_PASS);
    REQUIRE(router.table().size() == 1);
    CHECK(router.table()[0].description == "p2pdiag 0123abcd");
    CHECK(ids().empty());
}

TEST_CASE("records that somebody else made, or that make no sense, are left alone") {
    const auto directory = *test_record_dir();
    std::filesystem::create_directories(directory);
    for (const char* name : {"00000006.json", "x.json", "0000000g.json"}) {
        std::ofstream(directory / name) << "{\"id\":\"00000006\",\"step\":{}}";
    }
    CHECK(remove().left.empty());
    CHECK(ids() == std::vector<std::string>{"00000006"});
    std::filesystem::permissions(directory, std::filesystem::perms(0777));
    CHECK(ids().empty());
    CHECK_FALSE(TestRecord::begin(directory, "00000007"));
    std::filesystem::remove_all(directory);
    CHECK(ids().empty());
}
