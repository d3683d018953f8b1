#include "loader/loader.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "child/group.hpp"
#include "child/serve.hpp"
#include "loader/cache.hpp"
#include "loader/trust.hpp"
#include "report/text.hpp"

namespace p2pdiag::loader {

namespace fs = std::filesystem;

namespace {

// A description, or a reason. The description came from our own child, but holds a plugin's texts:
// its option schemas are judged here.
struct Description {
    explicit Description(fs::path where) : file(std::move(where)) {}
    fs::path file;
    std::string identity;  // of the file, from before it was read
    json::object table;
    std::string refused;
    bool hung = false;
};

std::string string_of(const json::object& object, std::string_view key) {
    return std::string(json::find_string(object, key).value_or(""));
}

boost::system::result<std::vector<options::Option>, options::Mismatch> option_list(
    const json::object& table) {
    const auto schema = json::parse(string_of(table, "options"));
    if (!schema) return options::Mismatch{"is not valid JSON"};
    return options::parse_options(*schema);
}

Check to_check(const json::object& entry) {
    Check check;
    check.id = string_of(entry, "id");
    check.title = string_of(entry, "title");
    if (const json::array* needs = json::find_array(entry, "needs")) {
        for (const json::value& need : *needs) {
            if (need.is_string()) check.needs.emplace_back(need.get_string());
        }
    }
    check.deep = json::find_bool(entry, "deep").value_or(false);
    check.privileges =
        static_cast<std::uint32_t>(json::find_integer(entry, "privileges").value_or(0));
    check.deadline = Milliseconds(json::find_integer(entry, "deadline_ms").value_or(0));
    return check;
}

Change to_change(const json::object& entry) {
    Change change;
    change.id = string_of(entry, "id");
    change.title = string_of(entry, "title");
    change.privileges =
        static_cast<std::uint32_t>(json::find_integer(entry, "privileges").value_or(0));
    change.keeps = json::find_bool(entry, "keeps").value_or(false);
    return change;
}

// The commands that the host carries out name changes that exist; what is wrong otherwise.
std::string unknown_change(const Plugin& plugin, const Verb& verb) {
    for (const options::Command& command : verb.schema.commands) {
        for (const std::string* id : {&command.change, &command.undo}) {
            if (id->empty() || plugin.find_change(*id) != nullptr) continue;
            return "the schema of verb " + verb.name + ": command " + command.name +
                   " names the change '" + *id + "', which the plugin does not have";
        }
    }
    return {};
}

// Fills `plugin`; what is wrong otherwise.
std::string read_table(const Description& description, Plugin& plugin) {
    const json::object& table = description.table;
    plugin.file = description.file;
    plugin.id = string_of(table, "id");
    plugin.version = string_of(table, "version");
    plugin.summary = string_of(table, "summary");
    auto option_result = option_list(table);
    if (!option_result) return "its options: " + option_result.error().why;
    plugin.options = std::move(*option_result);
    if (const json::array* checks = json::find_array(table, "checks")) {
        for (const json::value& entry : *checks) {
            if (entry.is_object()) plugin.checks.push_back(to_check(entry.get_object()));
        }
    }
    if (const json::array* changes = json::find_array(table, "changes")) {
        for (const json::value& entry : *changes) {
            if (entry.is_object()) plugin.changes.push_back(to_change(entry.get_object()));
        }
    }
    if (const json::array* recorders = json::find_array(table, "recorders")) {
        for (const json::value& entry : *recorders) {
            if (!entry.is_object()) continue;
            const json::object& recorder = entry.get_object();
            plugin.recorders.push_back({string_of(recorder, "id"), string_of(recorder, "title")});
        }
    }
    if (const json::array* verbs = json::find_array(table, "verbs")) {
        for (const json::value& entry : *verbs) {
            if (!entry.is_object()) continue;
            Verb verb;
            verb.name = string_of(entry.get_object(), "name");
            verb.summary = string_of(entry.get_object(), "summary");
            const auto schema = json::parse(string_of(entry.get_object(), "schema"));
            if (!schema) return "the schema of verb " + verb.name + " is not valid JSON";
            auto parsed = options::parse_verb(*schema);
            if (!parsed) return "the schema of verb " + verb.name + ": " + parsed.error().why;
            verb.schema = std::move(*parsed);
            if (auto unknown = unknown_change(plugin, verb); !unknown.empty()) return unknown;
            plugin.verbs.push_back(std::move(verb));
        }
    }
    return {};
}

// The end of what the child printed, most often its own word on why it failed: ", saying: …", or
// nothing.
std::string last_words(std::string_view output) {
    constexpr int most_lines = 3;
    constexpr std::size_t most_bytes = 300;
    output = output.substr(0, output.find_last_not_of(" \t\r\n") + 1);
    std::size_t begin = output.size();
    for (int line = 0; line < most_lines && begin != output.npos && begin != 0; ++line) {
        begin = output.rfind('\n', begin - 1);
    }
    if (begin != output.npos) output.remove_prefix(begin);
    if (output.size() > most_bytes) output.remove_prefix(output.size() - most_bytes);
    const std::size_t first = output.find_first_not_of(" \t\r\n");
    if (first == output.npos) return {};
    return ", saying: " + report::single_line(output.substr(first), true);
}

std::string failed_loading(const child::Exit& exit) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(describe_deadline);
    const bool hung = exit.how == child::Exit::How::timed_out;
    return (hung ? "was not loaded within " + std::to_string(seconds.count()) +
                       " s: it hangs, or this machine is very busy"
                 : "loading it in a child failed: the child " + to_string(exit)) +
           last_words(exit.output);
}

// Reads descriptions in children, in parallel.
class Reading {
public:
    explicit Reading(std::vector<Description*> wanted) : wanted_(std::move(wanted)) {}

    // Until all were read; `on_wait` is told once who lets everybody wait.
    void run(const std::function<void(const std::string&)>& on_wait) {
        constexpr Milliseconds patience{1500};
        const TimePoint begun = Clock::now();
        bool told = !on_wait;
        start_some();
        group_.run(
            [&] {
                start_some();
                if (told || Clock::now() - begun < patience) return;
                told = true;
                on_wait("waiting for " + report::joined(running_) + " to load");
            },
            patience);
    }

private:
    void start_some() {
        // A child takes four descriptors and as much memory as a small program.
        constexpr std::size_t most_at_once = 32;
        while (next_ < wanted_.size() && running_.size() < most_at_once) start(*wanted_[next_++]);
    }

    void start(Description& description) {
        description.identity = Cache::identity(description.file);
        child::Command command;
        command.arguments = {std::string(child::describe_word), description.file.native()};
        command.deadline = Clock::now() + describe_deadline;
        auto on_line = [&description](std::string_view line) {
            auto parsed = json::parse(line);
            if (parsed && parsed->is_object()) description.table = parsed->get_object();
        };
        auto on_exit = [this, &description](const child::Exit& exit) {
            std::erase(running_, description.file.native());
            if (string_of(description.table, "type") == "plugin") return;
            description.hung = exit.how == child::Exit::How::timed_out;
            description.refused = string_of(description.table, "reason");
            if (description.refused.empty()) description.refused = failed_loading(exit);
        };
        running_.push_back(description.file.native());
        group_.start(std::move(command), on_line, on_exit);
    }

    std::vector<Description*> wanted_;
    std::size_t next_ = 0;
    std::vector<std::string> running_;  // their files
    child::Group group_;
};

void remember(Cache& cache, const std::vector<Description*>& read) {
    for (const Description* one : read) {
        if (one->refused.empty()) {
            cache.store(one->file, one->identity, one->table);
        } else if (one->hung) {
            cache.store_hung(one->file, one->identity, one->refused);
        }
    }
    cache.save();
}

std::vector<fs::path> plugin_files(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
        const bool hidden = entry.path().filename().native().starts_with('.');
        if (!hidden && entry.path().extension() == ".so") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

// `real`: the file itself.
std::optional<std::string> distrust_plugin(const fs::path& real) {
    std::error_code error;
    if (!fs::is_regular_file(real, error)) return "not a regular file";
    return distrust(real);
}

// Every plugin file of the directories that may be trusted, each once. Where a link ends is what
// is judged and what is opened: what is between, others may change at any time.
std::vector<Description> find_files(const Search& search, std::vector<Rejected>& rejected) {
    std::vector<Description> found;
    std::set<fs::path> seen;
    for (const fs::path& directory : search.directories) {
        std::error_code error;
        const fs::path real_directory = fs::canonical(directory, error);
        if (error || !seen.insert(real_directory).second) continue;
        if (const auto reason = distrust(real_directory)) {
            rejected.push_back({real_directory, *reason});
            continue;
        }
        for (const fs::path& file : plugin_files(real_directory)) {
            const fs::path real = fs::canonical(file, error);
            if (error) {
                rejected.push_back({file, "cannot be read: " + error.message()});
            } else if (const auto reason = distrust_plugin(real)) {
                rejected.push_back({file, *reason});
            } else if (seen.insert(real).second) {
                found.emplace_back(real);
            }
        }
    }
    return found;
}

void accept(const Description& description, Plugins& plugins) {
    if (!description.refused.empty()) {
        plugins.rejected.push_back({description.file, description.refused});
        return;
    }
    Plugin plugin;
    if (const std::string wrong = read_table(description, plugin); !wrong.empty()) {
        plugins.rejected.push_back({description.file, wrong});
    } else if (const Plugin* other = plugins.find(plugin.id)) {
        plugins.rejected.push_back({description.file, "duplicate plugin id '" + plugin.id +
                                                          "': already loaded from " +
                                                          other->file.native()});
    } else {
        plugins.loaded.push_back(std::move(plugin));
    }
}

}  // namespace

Plugins load(const Search& search) {
    Plugins plugins;
    std::vector<Description> found = find_files(search, plugins.rejected);
    Cache cache(search.cache_file);
    std::vector<Description*> fresh;
    for (Description& description : found) {
        if (const json::object* known = cache.find(description.file)) {
            description.table = *known;
        } else if (auto hung = cache.find_hung(description.file)) {
            description.refused = std::move(*hung);
        } else {
            fresh.push_back(&description);
        }
    }
    Reading(fresh).run(search.on_wait);
    remember(cache, fresh);

    for (const Description& description : found) accept(description, plugins);
    std::sort(plugins.loaded.begin(), plugins.loaded.end(),
              [](const Plugin& a, const Plugin& b) { return a.id < b.id; });
    return plugins;
}

Plugins load_file(const fs::path& file, const std::optional<fs::path>& cache_file) {
    Plugins plugins;
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    Description description(error ? file : real);
    const std::vector<Description*> one{&description};
    Reading(one).run({});
    Cache cache(cache_file);
    remember(cache, one);
    accept(description, plugins);
    return plugins;
}

const Plugin* Plugins::find(std::string_view id) const {
    for (const Plugin& plugin : loaded) {
        if (plugin.id == id) return &plugin;
    }
    return nullptr;
}

const Change* Plugin::find_change(std::string_view change_id) const {
    const auto found = std::ranges::find(changes, change_id, &Change::id);
    return found == changes.end() ? nullptr : &*found;
}

const Plugin* Plugins::owner_of(std::string_view id) const {
    return find(id.substr(0, id.find('.')));
}

const Check* Plugins::find_check(std::string_view check_id) const {
    const Plugin* plugin = owner_of(check_id);
    if (plugin == nullptr) return nullptr;
    for (const Check& check : plugin->checks) {
        if (check.id == check_id) return &check;
    }
    return nullptr;
}

}  // namespace p2pdiag::loader
