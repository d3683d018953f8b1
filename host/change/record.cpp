#include "change/record.hpp"

#include <algorithm>
#include <optional>

namespace p2pdiag::change {

namespace {

constexpr std::string_view format_version = "1.0";
// More records than any journal will see, and one more can be counted.
constexpr std::int64_t most_sequence = std::int64_t{1} << 53;

// Reads members that must be there, and remembers the first that is not.
class Reader {
public:
    explicit Reader(const json::object& object) : object_(object) {}

    std::string text(const char* key) {
        const auto found = json::find_string(object_, key);
        if (!found || found->empty()) miss(key);
        return std::string(found.value_or(""));
    }

    std::string optional_text(const char* key) {
        return std::string(json::find_string(object_, key).value_or(""));
    }

    std::int64_t integer(const char* key) {
        const auto found = json::find_integer(object_, key);
        if (!found) miss(key);
        return found.value_or(0);
    }

    json::object object(const char* key) {
        const json::object* found = json::find_object(object_, key);
        if (found == nullptr) miss(key);
        return found == nullptr ? json::object() : *found;
    }

    json::value object_or_null(const char* key) {
        const json::object* found = json::find_object(object_, key);
        return found == nullptr ? json::value() : json::value(*found);
    }

    void miss(const char* key) {
        if (missing_.empty()) missing_ = key;
    }
    const std::string& missing() const { return missing_; }

private:
    const json::object& object_;
    std::string missing_;
};

std::optional<State> parse_state(std::string_view text) {
    for (const State state : {State::planned, State::applied, State::undone, State::forgotten}) {
        if (text == to_string(state)) return state;
    }
    return std::nullopt;
}

Record read(Reader& reader, const json::object& document) {
    Record record;
    record.id = reader.text("id");
    record.group = reader.text("group");
    record.sequence = reader.integer("sequence");
    if (record.sequence < 0 || record.sequence > most_sequence) reader.miss("sequence");
    record.change = reader.text("change");
    const json::object plugin = reader.object("plugin");
    record.plugin = json::find_string(plugin, "id").value_or("");
    record.plugin_version = json::find_string(plugin, "version").value_or("");
    if (record.plugin.empty()) reader.miss("plugin.id");
    record.title = reader.text("title");
    record.undo = reader.text("undo");
    record.match = reader.object("match");
    record.step = reader.object("step");
    record.record = reader.object_or_null("record");
    record.verify = reader.object_or_null("verify");
    record.created = reader.text("created");
    record.updated = reader.text("updated");
    record.error = reader.optional_text("error");
    const auto state = parse_state(json::find_string(document, "state").value_or(""));
    if (!state) reader.miss("state");
    record.state = state.value_or(State::planned);
    return record;
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::planned: return "planned";
        case State::applied: return "applied";
        case State::undone: return "undone";
        case State::forgotten: break;
    }
    return "forgotten";
}

json::object to_json(const Record& record) {
    return {{"format_version", format_version},
            {"id", record.id},
            {"group", record.group},
            {"sequence", record.sequence},
            {"change", record.change},
            {"plugin", json::object{{"id", record.plugin}, {"version", record.plugin_version}}},
            {"title", record.title},
            {"undo", record.undo},
            {"match", record.match},
            {"step", record.step},
            {"record", record.record},
            {"verify", record.verify},
            {"state", to_string(record.state)},
            {"created", record.created},
            {"updated", record.updated},
            {"error", json::text_or_null(record.error)}};
}

Maybe<Record> parse_record(std::string_view text) {
    const auto parsed = json::parse(text);
    if (!parsed) return Problem{"is not valid JSON"};
    const json::object* document = parsed->if_object();
    if (document == nullptr) return Problem{"is not a JSON object"};
    const auto version = json::find_string(*document, "format_version").value_or("");
    if (version.empty()) return Problem{"has no format_version"};
    if (version != format_version) {
        return Problem{"has format_version " + std::string(version.substr(0, 16)) +
                       ", which this p2pdiag does not know: update p2pdiag"};
    }
    Reader reader(*document);
    Record record = read(reader, *document);
    if (!is_record_id(record.id) || !is_record_id(record.group)) reader.miss("id");
    if (!reader.missing().empty()) {
        return Problem{"has no usable member \"" + reader.missing() + '"'};
    }
    return record;
}

bool is_record_id(std::string_view text) {
    return text.size() == 8 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string undo_command_of(const std::vector<std::string>& ids) {
    std::string command = ids.empty() ? "" : "p2pdiag undo";
    for (const std::string& id : ids) command += ' ' + id;
    return command;
}

}  // namespace p2pdiag::change
