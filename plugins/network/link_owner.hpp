// Which program's link it is, as its name says: those of containers and virtual machines.
#pragma once

#include <string_view>

namespace p2pdiag::network_plugin {

// "docker", "podman", "libvirt", "lxc", "lxd", "incus", "kubernetes", "vmware", "virtualbox"; empty
// for any other name.
std::string_view owner_of(std::string_view name);

}  // namespace p2pdiag::network_plugin
