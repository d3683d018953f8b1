#include "fake/stun_server.hpp"
#include "router.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using net::portmap::IgdDescription;
using net::portmap::Outcome;
using net::portmap::Problem;

namespace {

FakeIgdOptions with(DescriptionFault fault) {
    FakeIgdOptions options;
    options.description = fault;
    return options;
}

}  // namespace

TEST_CASE("describe: a router as it should be") {
    const FakeIgd router;
    const auto found = describe(router);
    REQUIRE(found.has_value());
    CHECK(found->location == router.location());
    CHECK(found->friendly_name == "Fake & Router");
    CHECK(found->manufacturer == "Fakes");
    CHECK(found->model_name == "Model ?[31m");
    CHECK(found->model_number == "1");
    CHECK(found->serial_number == "42");
    CHECK(found->udn == "uuid:fake");
    CHECK(found->presentation_url == "http://" + router.http().to_string() + "/");
    CHECK(found->version == 1);
    REQUIRE(found->mapping);
    CHECK(found->mapping->control_url == router.control_url());
    CHECK(found->mapping->service_type == "urn:schemas-upnp-org:service:WANIPConnection:1");
    CHECK(found->mapping->router == router.address());
    CHECK(found->mapping->local == here);
    CHECK(found->mapping->interface == loopback_index);
    REQUIRE(found->firewall);
    CHECK(found->firewall->control_url == router.firewall_url());
    CHECK(router.http_requests() == 1);
}

TEST_CASE("describe: a router with version 2 alone") {
    const FakeIgd router(with(DescriptionFault::version_two));
    const auto found = describe(router);
    REQUIRE(found.has_value());
    CHECK(found->version == 2);
    REQUIRE(found->mapping);
    CHECK(found->mapping->service_type == "urn:schemas-upnp-org:service:WANIPConnection:2");
}

TEST_CASE("describe: a device that is no router") {
    const FakeIgd television(with(DescriptionFault::television));
    const auto found = describe(television);
    REQUIRE(found.has_value());
    CHECK(found->version == 0);
    CHECK(found->friendly_name == "Fake & Router");
    CHECK_FALSE(found->mapping);
    CHECK_FALSE(found->firewall);
}

TEST_CASE("describe: of several connections, the one in use") {
    const FakeIgd router(with(DescriptionFault::two_connections));
    const auto found = describe(router);
    REQUIRE(found.has_value());
    REQUIRE(found->mapping);
    CHECK(found->mapping->service_type == "urn:schemas-upnp-org:service:WANPPPConnection:1");
    CHECK(router.most_at_once() == 1);
}

TEST_CASE("describe: of several connections that do not say, the best kind") {
    FakeIgdOptions options = with(DescriptionFault::two_connections);
    options.errors["GetStatusInfo"] = 501;
    const FakeIgd router(options);
    const auto found = describe(router);
    REQUIRE(found.has_value());
    CHECK(found->mapping->service_type == "urn:schemas-upnp-org:service:WANIPConnection:1");
}

TEST_CASE("describe: a control URL longer than the buffers of others") {
    const FakeIgd router(with(DescriptionFault::long_control_url));
    const auto found = describe(router);
    REQUIRE(found.has_value());
    CHECK(found->mapping->control_url == router.control_url());
}

TEST_CASE("describe: nobody leads us to another host") {
    const FakeIgd victim;
    const auto led_away = [&](const Outcome<IgdDescription>& found) {
        REQUIRE(found.has_error());
        CHECK(found.error().problem == Problem::foreign_url);
        CHECK(found.error().text.find(victim.address().to_string()) != std::string::npos);
        CHECK(victim.http_requests() == 0);
    };
    SECTION("by LOCATION") {
        const FakeIgd router;
        auto task = net::portmap::describe_igd(victim.location(), router.address(), 1, here);
        const auto found = run(std::move(task));
        led_away(found);
        CHECK(found.error().text.find(router.address().to_string()) != std::string::npos);
    }
    SECTION("by a name") {
        auto task = net::portmap::describe_igd("http://localhost/", victim.address(), 1, here);
        led_away(run(std::move(task)));
    }
    SECTION("by the control URL") {
        FakeIgdOptions options = with(DescriptionFault::control_elsewhere);
        options.elsewhere = victim.http();
        const FakeIgd router(options);
        led_away(describe(router));
    }
    SECTION("by a redirect") {
        FakeIgdOptions options;
        options.description_http = HttpFault::redirect;
        options.elsewhere = victim.http();
        const auto found = describe(FakeIgd(options));
        REQUIRE(found.has_error());
        CHECK(found.error().problem == Problem::failed);
        CHECK(found.error().code == 302);
        CHECK(victim.http_requests() == 0);
    }
    SECTION("by a control URL from somewhere else than a description") {
        const FakeIgd router;
        auto service = mapping_service(router);
        service.control_url = victim.control_url();
        const auto status = run(net::portmap::igd_status(service));
        REQUIRE(status.has_error());
        CHECK(status.error().problem == Problem::foreign_url);
        CHECK(victim.http_requests() == 0);
    }
    SECTION("by URLBase, whose paths are taken for the router's own") {
        FakeIgdOptions options = with(DescriptionFault::url_base_elsewhere);
        options.elsewhere = victim.http();
        const FakeIgd router(options);
        const auto found = describe(router);
        REQUIRE(found.has_value());
        CHECK(found->mapping->control_url == router.control_url());
        CHECK(victim.http_requests() == 0);
    }
}

TEST_CASE("describe: hostile XML is read as far as it is one") {
    const auto bomb = describe(FakeIgd(with(DescriptionFault::entity_bomb)));
    REQUIRE(bomb.has_value());
    CHECK(bomb->friendly_name == "&a11;&a11;&a11;");
    CHECK(bomb->mapping);
    const auto deep = describe(FakeIgd(with(DescriptionFault::deep)));
    REQUIRE(deep.has_value());
    CHECK(deep->version == 0);
    const auto cut = describe(FakeIgd(with(DescriptionFault::cut_off)));
    REQUIRE(cut.has_value());
    CHECK(cut->mapping);
    CHECK_FALSE(cut->firewall);
}

TEST_CASE("describe: what goes wrong on the way") {
    const auto problem = [](HttpFault fault) {
        FakeIgdOptions options;
        options.description_http = fault;
        const auto found = describe(FakeIgd(options));
        REQUIRE(found.has_error());
        CHECK_FALSE(found.error().text.empty());
        return found.error().problem;
    };
    CHECK(problem(HttpFault::closed) == Problem::absent);
    CHECK(problem(HttpFault::closes_at_once) == Problem::no_answer);
    CHECK(problem(HttpFault::huge) == Problem::too_large);
    CHECK(problem(HttpFault::not_http) == Problem::malformed);
    CHECK(problem(HttpFault::not_found) == Problem::unsupported);
    // The one that takes as long as is allowed.
    CHECK(problem(HttpFault::slow_drip) == Problem::no_answer);

    const auto refused = [](std::string location) {
        auto task = net::portmap::describe_igd(std::move(location), here, 1, here);
        return run(std::move(task)).error().problem;
    };
    CHECK(refused("") == Problem::malformed);
    CHECK(refused("file:///etc/passwd") == Problem::malformed);
    CHECK(refused("https://127.0.0.1/") == Problem::unsupported);
}
