#include "fix/task.hpp"

#include <algorithm>

namespace p2pdiag::fix {

namespace {

using options::Command;

struct Door {
    const loader::Plugin* plugin = nullptr;
    const Command* command = nullptr;
    const options::VerbSchema* schema = nullptr;
};

// The plugin's command of "forward add".
Door find_door(const loader::Plugins& plugins, const std::string& line) {
    const std::size_t space = line.find(' ');
    const std::string name = space == line.npos ? std::string() : line.substr(space + 1);
    for (const loader::Plugin& plugin : plugins.loaded) {
        for (const loader::Verb& verb : plugin.verbs) {
            if (verb.name != line.substr(0, space)) continue;
            const auto found = std::ranges::find(verb.schema.commands, name, &Command::name);
            if (found != verb.schema.commands.end()) return {&plugin, &*found, &verb.schema};
        }
    }
    return {};
}

// What is wrong with the arguments of the remedy, or nothing.
std::string fill_arguments(Task& task, const Door& door) {
    std::vector<const options::Option*> known;
    for (const auto& option : door.schema->top.options) known.push_back(&option);
    for (const auto& option : door.command->options) known.push_back(&option);
    for (const options::Option* option : known) {
        if (option->default_value) task.arguments[option->name] = *option->default_value;
    }
    for (const auto& [name, value] : task.remedy.arguments) {
        const auto option = std::ranges::find(known, name, &options::Option::name);
        if (option == known.end()) return "it has no option --" + std::string(name);
        const bool one_of_several = (*option)->repeat && !value.is_array();
        const json::value typed = one_of_several ? json::value(json::array{value}) : value;
        const auto checked = options::from_value(**option, typed);
        if (!checked) return "--" + std::string(name) + ": " + checked.error().why;
        task.given[name] = *checked;
        task.arguments[name] = *checked;
    }
    return {};
}

void resolve(Task& task, const loader::Plugins& plugins) {
    const Door door = find_door(plugins, task.remedy.verb);
    if (door.plugin == nullptr) {
        task.problem = "no plugin that is loaded has the command '" + task.remedy.verb + '\'';
        return;
    }
    task.plugin = door.plugin;
    task.takes_back = !door.command->undo.empty();
    const std::string& id = task.takes_back ? door.command->undo : door.command->change;
    task.change = door.plugin->find_change(id);
    if (task.change == nullptr) {
        task.problem = "'" + task.remedy.verb + "' changes nothing that could be taken back";
        return;
    }
    if (const std::string wrong = fill_arguments(task, door); !wrong.empty()) {
        task.problem = "'" + task.remedy.verb + "': " + wrong;
    }
}

Task* same_task(std::vector<Task>& tasks, const report::Remedy& remedy) {
    const auto found = std::ranges::find_if(tasks, [&](const Task& task) {
        return task.remedy.verb == remedy.verb && task.remedy.arguments == remedy.arguments;
    });
    return found == tasks.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Task> tasks_of(const report::Report& report, const loader::Plugins& plugins,
                           const std::vector<std::string>& only) {
    std::vector<Task> tasks;
    for (const report::Cause& cause : report.causes) {
        for (const report::Remedy& remedy : cause.remedies) {
            if (!remedy.automatic) continue;
            const bool wanted = only.empty() || std::ranges::find(only, remedy.id) != only.end();
            if (!wanted) continue;
            if (Task* known = same_task(tasks, remedy)) {
                known->causes.push_back(cause);
                continue;
            }
            Task task;
            task.remedy = remedy;
            task.causes = {cause};
            resolve(task, plugins);
            tasks.push_back(std::move(task));
        }
    }
    std::ranges::stable_sort(tasks, {}, &Task::place);
    // What depends on them comes after.
    std::ranges::stable_partition(tasks, [](const Task& task) { return task.remedy.alone; });
    return tasks;
}

}  // namespace p2pdiag::fix
