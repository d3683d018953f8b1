#include <algorithm>
#include <thread>

#include "fake/sandbox.hpp"
#include "fake/stun_server.hpp"
#include "router.hpp"
#include "searching.hpp"

using namespace p2pdiag;
using namespace p2pdiag::testing;
using net::portmap::SearchLink;
using net::portmap::SsdpAnswer;

namespace {

SearchLink link_to(std::vector<IpAddress> gateways) {
    SearchLink link;
    link.interface = loopback_index;
    link.local = here;
    link.gateways = std::move(gateways);
    return link;
}

}  // namespace

TEST_CASE("search: a gateway that is asked answers") {
    const FakeIgd router;
    const auto answers = search({link_to({router.address()})}, 1);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].from == router.address());
    CHECK(answers[0].port == 1900);
    CHECK(answers[0].interface == loopback_index);
    CHECK(answers[0].local == here);
    CHECK(answers[0].location == router.location());
    CHECK(answers[0].server == "fake/1 UPnP/1.1 router/1");
    CHECK(answers[0].st == "urn:schemas-upnp-org:device:InternetGatewayDevice:1");
    CHECK(answers[0].usn.starts_with("uuid:fake"));
}

TEST_CASE("search: a router answers several times, and is told of once") {
    const FakeIgd router;
    CHECK(search({link_to({router.address()})}, 2, Milliseconds(1500)).size() == 1);
    // Both rounds, with one datagram for each target. The router may be slower than we are.
    const TimePoint end = Clock::now() + std::chrono::seconds(60);
    while (router.searches() < 12 && Clock::now() < end) std::this_thread::yield();
    CHECK(router.searches() == 12);
}

TEST_CASE("search: version 2 alone, garbage before the answer, another port, a late answer") {
    FakeIgdOptions two, noisy, other, late;
    two.description = DescriptionFault::version_two;
    noisy.search = SearchFault::garbage_first;
    other.search = SearchFault::other_port;
    late.search_delay = Milliseconds(900);
    const FakeIgd routers[] = {FakeIgd(two), FakeIgd(noisy), FakeIgd(other), FakeIgd(late)};
    std::vector<IpAddress> addresses;
    for (const FakeIgd& router : routers) addresses.push_back(router.address());
    const auto answers = search({link_to(addresses)}, 4);
    REQUIRE(answers.size() == 4);
    for (const FakeIgd& router : routers) {
        const auto found = std::find_if(answers.begin(), answers.end(), [&](const auto& answer) {
            return answer.location == router.location();
        });
        REQUIRE(found != answers.end());
        CHECK((found->port == 1900) == (&router != &routers[2]));
    }
}

TEST_CASE("search: a LOCATION on another host is handed on, for the caller to refuse") {
    FakeIgdOptions options;
    options.search = SearchFault::location_elsewhere;
    options.elsewhere = Endpoint::parse("203.0.113.66:80");
    const FakeIgd router(options);
    const auto answers = search({link_to({router.address()})}, 1);
    REQUIRE(answers.size() == 1);
    auto task = net::portmap::describe_igd(answers[0].location, answers[0].from, 1, here);
    CHECK(run(std::move(task)).error().problem == net::portmap::Problem::foreign_url);
}

TEST_CASE("search: silence ends with the window, and a link where nothing can be sent at once") {
    FakeIgdOptions options;
    options.search = SearchFault::mute;
    const FakeIgd router(options);
    CHECK(search({link_to({router.address()})}, 1, Milliseconds(100)).empty());
    SearchLink nowhere = link_to({});
    nowhere.local = *IpAddress::parse("192.0.2.77");  // not ours
    const TimePoint start = Clock::now();
    CHECK(search({nowhere}, 1).empty());
    CHECK(Clock::now() - start < std::chrono::seconds(60));
    CHECK(search({}, 1).empty());
}

TEST_CASE("search: a closed port 1900 on the gateway ends nothing") {
    const FakeIgd router;
    const auto answers = search({link_to({closed_port().address, router.address()})}, 1);
    CHECK(answers.size() == 1);
}

TEST_CASE("search: by multicast, without knowing any gateway") {
    const auto text = in_sandbox({}, [] {
        FakeIgdOptions options;
        options.multicast = true;
        const FakeIgd router(options);
        const auto answers = search({link_to({})}, 1);
        return answers.size() == 1 && answers[0].location == router.location() ? "found" : "lost";
    });
    if (!text) {
        WARN("no namespaces here: not tested");
        return;
    }
    CHECK(*text == "found");
}
