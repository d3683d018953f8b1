#include "foreign/windows.hpp"

namespace p2pdiag::firewall::windows {

// One line, so that it can be pasted. The filters are asked for all at once and joined here by
// InstanceID: to ask rule by rule takes Windows minutes.
const std::string_view collect_command =
    "$s=@{PolicyStore='ActiveStore'};[ordered]@{format='p2pdiag-windows-firewall';version=1;"
    "profiles=@(Get-NetFirewallProfile @s|select Name,Enabled,DefaultInboundAction,"
    "DefaultOutboundAction,AllowInboundRules,AllowLocalFirewallRules,DisabledInterfaceAliases);"
    "rules=@(Get-NetFirewallRule @s -TracePolicyStore|select "
    "InstanceID,DisplayName,Enabled,Profile,Direction,Action,"
    "EdgeTraversalPolicy,LocalOnlyMapping,Owner,PrimaryStatus,EnforcementStatus,PolicyStoreSource,"
    "PolicyStoreSourceType,PolicyAppId,RemoteDynamicKeywordAddresses);"
    "ports=@(Get-NetFirewallPortFilter @s|select InstanceID,Protocol,LocalPort,RemotePort,"
    "DynamicTarget);"
    "addresses=@(Get-NetFirewallAddressFilter @s|select InstanceID,LocalAddress,RemoteAddress);"
    "applications=@(Get-NetFirewallApplicationFilter @s|select InstanceID,Program,Package);"
    "interfaces=@(Get-NetFirewallInterfaceFilter @s|select InstanceID,InterfaceAlias);"
    "interface_types=@(Get-NetFirewallInterfaceTypeFilter @s|select InstanceID,InterfaceType);"
    "services=@(Get-NetFirewallServiceFilter @s|select InstanceID,Service);"
    "security=@(Get-NetFirewallSecurityFilter @s|select InstanceID,Authentication,Encryption,"
    "OverrideBlockRules,LocalUser,RemoteUser,RemoteMachine);"
    "connections=@(Get-NetConnectionProfile|select InterfaceAlias,NetworkCategory);"
    "ip=@(Get-NetIPAddress|select InterfaceAlias,IPAddress,PrefixLength,AddressState)}"
    "|ConvertTo-Json -Depth 4 -Compress|Set-Content -Encoding UTF8 $HOME\\firewall.json";

}  // namespace p2pdiag::firewall::windows
