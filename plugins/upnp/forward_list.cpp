// The verb `forward`, command list: what the routers forward, and which of it is ours.
#include <p2pdiag/run_until.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "checks.hpp"
#include "failures.hpp"
#include "forward_input.hpp"
#include "offers.hpp"
#include "search.hpp"

namespace p2pdiag::upnp_plugin {

namespace {

constexpr int exit_nothing_told = 3;

struct Row {
    std::string router;
    std::string udn;       // of the router, where UPnP told it
    std::string protocol;  // by which it is known, or was made: "upnp"
    std::string transport;
    std::uint16_t external_port = 0;
    std::string internal;
    std::optional<std::int64_t> lease_s;  // remaining; 0 = for good; nothing = not known, or over
    std::string lease;                    // the same in words
    std::optional<std::string> description;  // as the router has it; nothing from the journal
    std::string whose;                       // "ours", "this machine", "other"
    std::string id;
};

struct Listing {
    std::vector<Row> rows;
    std::vector<std::string> notes;
    bool any_router = false;
    bool unread = false;  // a router has a list, and did not tell it
};

const OpenForward* find_open(const std::vector<OpenForward>& open, std::string_view id) {
    for (const OpenForward& one : open) {
        if (one.id == id) return &one;
    }
    return nullptr;
}

Row row_of(const portmap::IgdReport& igd, const portmap::IgdMapping& mapping,
           const std::vector<OpenForward>& open) {
    Row row;
    row.router = igd.answer.from.to_string();
    row.udn = (**igd.description).udn;
    row.protocol = "upnp";
    row.transport = to_string(mapping.transport);
    row.external_port = mapping.external_port;
    if (mapping.internal_address) {
        row.internal = Endpoint{*mapping.internal_address, mapping.internal_port}.to_string();
    }
    row.lease_s = mapping.lease.count();
    row.lease = lease_words(mapping.lease);
    row.description = shown_description(mapping);
    const std::string_view id = id_of(mapping.description);
    const bool here = mapping.internal_address == (**igd.description).mapping->local;
    if (find_open(open, id) != nullptr) {
        row.whose = "ours";
        row.id = id;
    } else {
        row.whose = here ? "this machine" : "other";
    }
    return row;
}

// A router that was found over both families lists the same twice.
bool is_repetition(const Listing& listing, const Row& row) {
    return std::any_of(listing.rows.begin(), listing.rows.end(), [&](const Row& other) {
        return other.udn == row.udn && !row.udn.empty() && other.router != row.router &&
               other.transport == row.transport && other.external_port == row.external_port &&
               other.internal == row.internal && other.description == row.description;
    });
}

bool is_listed(const Listing& listing, const OpenForward& open) {
    for (const Row& row : listing.rows) {
        if (row.id == open.id && row.transport == to_string(open.step.request().transport)) {
            return true;
        }
    }
    return false;
}

void set_lease(Row& row, const Attempt& made) {
    const auto& lease = made.grant->lifetime;
    row.lease = lease_words(lease);
    if (!lease) return;
    row.lease_s = lease->count();
    if (lease->count() == 0) return;
    *row.lease_s -= now_in_seconds() - made.asked_at;
    row.lease = std::to_string(*row.lease_s) + " s";
    if (*row.lease_s > 0) return;
    row.lease_s.reset();
    row.lease = "over";
}

// What cannot be read from a router: made by NAT-PMP or PCP, or by a router that is not there now.
Row row_of(const OpenForward& open) {
    const Attempt* made = open.record ? open.record->granted() : nullptr;
    const Try one = made == nullptr ? open.step.tries.front() : try_of(open.step, *made);
    Row row;
    row.router = one.service.router.to_string();
    row.protocol = portmap::to_string(one.service.protocol);
    row.transport = to_string(one.request.transport);
    row.external_port = made == nullptr ? one.request.external_port : made->grant->external_port;
    row.internal = Endpoint{one.service.local, one.request.internal_port}.to_string();
    row.lease = "not known to be granted";
    if (made != nullptr) set_lease(row, *made);
    row.whose = "ours";
    row.id = open.id;
    return row;
}

Listing make_listing(const Search& search, const std::vector<OpenForward>& open) {
    Listing listing;
    for (const portmap::IgdReport& igd : search.found.igds) {
        const std::string router = igd.answer.from.to_string();
        if (!igd.mappings) {
            if (!igd.usable()) continue;
            listing.unread = true;
            listing.notes.push_back(router + " did not tell in time what it forwards");
            continue;
        }
        if (!*igd.mappings) {
            listing.unread = true;
            listing.notes.push_back(router +
                                    " does not list its forwards: " + words(igd.mappings->error()));
            continue;
        }
        listing.any_router = true;
        for (const portmap::IgdMapping& mapping : (**igd.mappings).entries) {
            Row row = row_of(igd, mapping, open);
            if (!is_repetition(listing, row)) listing.rows.push_back(std::move(row));
        }
        if (!(**igd.mappings).complete) {
            listing.notes.push_back(router + " has more forwards than are shown");
        }
    }
    for (const OpenForward& one : open) {
        if (!is_listed(listing, one)) listing.rows.push_back(row_of(one));
    }
    bool silent = false;
    for (const Offer& offer : offers(search.found, search.ipv6)) {
        listing.any_router = true;
        silent = silent || offer.service.protocol != portmap::Protocol::upnp;
    }
    if (silent) {
        listing.notes.push_back(
            "NAT-PMP and PCP cannot list forwards: of those made by them, only the ones of this "
            "p2pdiag are shown");
    }
    if (!listing.any_router) listing.notes.push_back("No router answers to UPnP, NAT-PMP or PCP");
    return listing;
}

void print_json(const Listing& listing) {
    json::array forwards;
    for (const Row& row : listing.rows) {
        json::object object{
            {"router", row.router},      {"known_by", row.protocol},
            {"protocol", row.transport}, {"external_port", row.external_port},
            {"internal", row.internal},  {"read_from", row.description ? "router" : "journal"},
            {"lease_s", nullptr},        {"description", nullptr},
            {"whose", row.whose},        {"id", nullptr}};
        if (row.lease_s) object["lease_s"] = *row.lease_s;
        if (row.description) object["description"] = *row.description;
        if (!row.id.empty()) object["id"] = row.id;
        forwards.push_back(std::move(object));
    }
    json::array notes;
    for (const std::string& note : listing.notes) notes.push_back(json::value(note));
    const json::object document{{"forwards", std::move(forwards)}, {"notes", std::move(notes)}};
    std::cout << json::to_pretty_text(document);
}

void print_text(const Listing& listing) {
    if (listing.rows.empty() && !listing.unread) std::cout << "No forwards.\n";
    for (const Row& row : listing.rows) {
        std::cout << row.transport << ' ' << row.external_port << " of " << row.router << " -> "
                  << (row.internal.empty() ? "?" : row.internal) << "  [" << row.whose;
        if (!row.id.empty()) std::cout << ' ' << row.id;
        std::cout << "]  lease " << row.lease << "  "
                  << row.description.value_or("(from the journal, not read from the router)")
                  << '\n';
    }
    std::cout.flush();
    for (const std::string& note : listing.notes) std::cerr << "p2pdiag: " << note << '\n';
}

}  // namespace

int list_forwards(Run& run) {
    const auto parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) return 4;
    const json::object& arguments = parsed->get_object();
    const json::object* options = json::find_object(arguments, "options");
    const bool as_json = options != nullptr && json::find_string(*options, "format") == "json";
    const auto search = std::make_shared<Search>();
    run_until(run.cancel_fd(), run.deadline(), search_and_read(search));
    const Listing listing = make_listing(*search, parse_open(arguments, "changes"));
    as_json ? print_json(listing) : print_text(listing);
    if (listing.rows.empty() && listing.unread) return exit_nothing_told;
    return listing.any_router || !listing.rows.empty() ? 0 : exit_nothing_told;
}

}  // namespace p2pdiag::upnp_plugin
