#include "ladder.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace p2pdiag::capture_plugin {

namespace {

std::string_view short_name(Role role) {
    switch (role) {
        case Role::you: return "you";
        case Role::router: return "router";
        case Role::nat_outside: return "NAT";
        case Role::stun_server: return "STUN";
        case Role::turn_server: return "TURN";
        case Role::relay: return "relay";
        case Role::dns_server: return "DNS";
        case Role::peer: return "peer";
        case Role::hop: return "hop";
        case Role::group: return "group";
        case Role::server: return "server";
        case Role::unknown: break;
    }
    return "";
}

// From the left: this machine, what is near it, what is far away.
int place(Role role) {
    switch (role) {
        case Role::you: return 0;
        case Role::router: return 1;
        case Role::nat_outside: return 2;
        case Role::hop: return 3;
        default: return 4;
    }
}

Column column_of(const Host& host) {
    const std::string_view role = to_string(host.role);
    return {std::string(short_name(host.role)), std::string(role), host.reason, {host.address}};
}

// "STUN" twice becomes "STUN 1" and "STUN 2"; who has no role has his address.
void make_labels_unique(std::vector<Column>& columns) {
    std::map<std::string, unsigned> count;
    for (const Column& column : columns) ++count[column.label];
    std::map<std::string, unsigned> used;
    for (Column& column : columns) {
        if (column.label.empty()) {
            column.label = column.addresses.front().to_string();
        } else if (count[column.label] > 1) {
            const unsigned number = ++used[column.label];
            column.label += ' ' + std::to_string(number);
        }
    }
}

std::vector<Column> make_columns(const Outcome& result, std::size_t most) {
    std::vector<Host> hosts = result.hosts;
    std::vector<Host> others;
    if (hosts.size() > most) {
        others.assign(hosts.begin() + static_cast<std::ptrdiff_t>(most - 1), hosts.end());
        hosts.resize(most - 1);
        // Whose ladder it is must be in it.
        const auto you = std::ranges::find(others, Role::you, &Host::role);
        if (you != others.end()) std::swap(hosts.back(), *you);
    }
    std::ranges::stable_sort(hosts, {}, [](const Host& host) { return place(host.role); });
    std::vector<Column> columns;
    for (const Host& host : hosts) columns.push_back(column_of(host));
    make_labels_unique(columns);
    if (!others.empty()) {
        Column rest{"others", std::to_string(others.size()) + " others", "", {}};
        for (const Host& host : others) rest.addresses.push_back(host.address);
        columns.push_back(std::move(rest));
    }
    return columns;
}

std::string port_text(const Endpoint& endpoint, bool named) {
    if (!named) return endpoint.port == 0 ? endpoint.address.to_string() : endpoint.to_string();
    return ':' + std::to_string(endpoint.port);
}

std::string text_of(const Message& message, bool from_named, bool to_named) {
    std::string text(to_string(message.protocol));
    text += ' ' + message.text;
    // Of what is not a question, the number of packets counts, not that of attempts.
    const bool data = message.kind == Kind::notice && message.copies > 1;
    if (data) {
        text += " in " + std::to_string(message.copies) + " packets";
    } else if (message.copies > 1) {
        text += " x" + std::to_string(message.copies);
    }
    if (message.seen_again > 0)
        text += ", seen " + std::to_string(message.seen_again + 1) + " times";
    const bool ports = message.from.port != 0 || message.to.port != 0;
    if (ports || !from_named || !to_named) {
        text +=
            "  " + port_text(message.from, from_named) + " > " + port_text(message.to, to_named);
    }
    if (message.delay_ns) text += "  " + delay_text(*message.delay_ns);
    if (message.fate == Fate::unanswered) text += "  NO REPLY";
    if (message.fate == Fate::refused) text += "  REFUSED";
    if (message.fate == Fate::open) text += "  reply not in the capture";
    if (!message.comment.empty()) text += "  [" + message.comment + ']';
    return text;
}

}  // namespace

std::string seconds_text(std::int64_t nanoseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", static_cast<double>(nanoseconds) / 1e9);
    return text;
}

std::string delay_text(std::int64_t nanoseconds) {
    char text[32];
    if (nanoseconds < 1'000'000'000) {
        std::snprintf(text, sizeof text, "+%.1f ms", static_cast<double>(nanoseconds) / 1e6);
    } else {
        std::snprintf(text, sizeof text, "+%.2f s", static_cast<double>(nanoseconds) / 1e9);
    }
    return text;
}

Ladder make_ladder(const Outcome& result, std::size_t max_columns, std::size_t max_rows) {
    Ladder ladder;
    ladder.columns = make_columns(result, std::max<std::size_t>(max_columns, 2));
    std::map<IpAddress, std::size_t> column_by_address;
    for (std::size_t i = 0; i < ladder.columns.size(); ++i) {
        for (const IpAddress& address : ladder.columns[i].addresses) column_by_address[address] = i;
    }
    max_rows = std::max<std::size_t>(max_rows, 2);
    const std::size_t count = result.messages.size();
    const std::size_t hidden = count > max_rows ? count - max_rows : 0;
    const std::size_t first_part = hidden > 0 ? max_rows / 2 : count;
    std::uint64_t left_out = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Message& message = result.messages[i];
        if (result.gap_before && message.sequence == *result.gap_before) {
            left_out += result.messages_left_out;
        }
        if (i >= first_part && i < first_part + hidden) {
            ++left_out;
            continue;
        }
        Row row;
        row.message = &message;
        row.from = column_by_address[message.from.address];
        row.to = column_by_address[message.to.address];
        row.since_start_ns = std::max<std::int64_t>(message.time_ns - result.first_ns, 0);
        row.text = text_of(message, ladder.columns[row.from].addresses.size() == 1,
                           ladder.columns[row.to].addresses.size() == 1);
        row.left_out_before = std::exchange(left_out, 0);
        ladder.rows.push_back(std::move(row));
    }
    return ladder;
}

}  // namespace p2pdiag::capture_plugin
