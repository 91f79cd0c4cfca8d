export { createUpstream, type RunningUpstream, type UpstreamOptions } from './create-upstream.ts'
export { type RegistryAddresses, registryAddresses } from './registry-addresses.ts'
