import type { Brand } from '@gantry/kernel'

export type ContainerId = Brand<string, 'ContainerId'>
export type ProjectId = Brand<string, 'ProjectId'>
export type UserId = Brand<string, 'UserId'>
export type HostId = Brand<string, 'HostId'>
export type InstanceId = Brand<string, 'InstanceId'>
export type ActionId = Brand<string, 'ActionId'>
export type ImageId = Brand<string, 'ImageId'>
export type NetworkId = Brand<string, 'NetworkId'>
export type SubnetId = Brand<string, 'SubnetId'>
export type PortId = Brand<string, 'PortId'>
export type SecurityGroupId = Brand<string, 'SecurityGroupId'>
export type SecurityGroupRuleId = Brand<string, 'SecurityGroupRuleId'>
export type RouterId = Brand<string, 'RouterId'>
export type FloatingIpId = Brand<string, 'FloatingIpId'>
export type PortForwardingId = Brand<string, 'PortForwardingId'>
export type VolumeId = Brand<string, 'VolumeId'>
export type WebhookId = Brand<string, 'WebhookId'>
export type SnapshotId = Brand<string, 'SnapshotId'>
export type BackupId = Brand<string, 'BackupId'>
export type CapsuleId = Brand<string, 'CapsuleId'>
export type RegistryId = Brand<string, 'RegistryId'>
/** `req-<uuid>`, as OpenStack services write it. */
export type RequestId = Brand<string, 'RequestId'>
