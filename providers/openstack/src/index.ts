export type { CloudAccess } from './cloud-access.ts'
export {
  type KeystoneIdentityParts,
  type KeystoneNamespacesParts,
  keystoneIdentity,
  keystoneNamespaces,
} from './identity/index.ts'
export { type NovaComputeOptions, novaCompute } from './compute/nova-compute.ts'
export { type NovaServers, type NovaSettings, readNovaSettings } from './compute/nova-settings.ts'
export { type GlanceParts, glanceExchange } from './image/index.ts'
export { type OpenAccess, openAccess } from './open-access.ts'
export { type CloudSettings, cloudSettings, readCloudSettings } from './settings.ts'
export {
  type CloudVolumes,
  type CloudVolumesParts,
  cinder,
  cloudVolumes,
  manila,
  type VolumeBackend,
} from './volume/index.ts'
export { type NeutronPorts, neutronPorts } from './network/neutron-ports.ts'
export { type NeutronVerbs, neutronVerbs } from './network/neutron-verbs.ts'
