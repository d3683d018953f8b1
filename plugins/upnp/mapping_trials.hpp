// Makes the test mappings of upnp.mapping, and removes them whatever happens.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "gateways.hpp"
#include "mapping_check.hpp"
#include "test_record.hpp"

namespace p2pdiag::upnp_plugin {

struct MappingSession {
    std::shared_ptr<Search> search = std::make_shared<Search>();
    MappingTest test;
    std::string id;  // in the description of the mappings
    std::vector<std::string> stun_servers;
    // Of what may be there. Nothing where there is no place for it.
    std::optional<TestRecord> record = std::nullopt;
};

// Of what the search has found: a trial for each offer that is ready.
void choose_trials(MappingSession& session);

// One after the other, since some routers cannot do two things at a time.
boost::asio::awaitable<void> run_trials(std::shared_ptr<MappingSession> session);

// Removes whatever run_trials() asked for and is not known to be gone, be it granted or not
// answered yet: for after it was cancelled.
boost::asio::awaitable<void> clean_up(std::shared_ptr<MappingSession> session);

}  // namespace p2pdiag::upnp_plugin
