export type { VolumeHost, VolumeHosts } from './choose-host.ts'
export { type EmbeddedVolumesOptions, embeddedVolumes } from './embedded-volumes.ts'
export type { VolumeLimits } from './limits.ts'
