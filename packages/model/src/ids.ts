import type { Brand } from '@gantry/kernel'

export type ContainerId = Brand<string, 'ContainerId'>
export type ProjectId = Brand<string, 'ProjectId'>
export type UserId = Brand<string, 'UserId'>
export type HostId = Brand<string, 'HostId'>
export type ActionId = Brand<string, 'ActionId'>
export type ImageId = Brand<string, 'ImageId'>
/** `req-<uuid>`, as OpenStack services write it. */
export type RequestId = Brand<string, 'RequestId'>
