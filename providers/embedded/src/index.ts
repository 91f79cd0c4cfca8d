export { type EmbeddedBlobsOptions, embeddedBlobs } from './blobs/embedded-blobs.ts'
export * from './identity/index.ts'
export { embeddedNetworks } from './network/embedded-networks.ts'
export * from './volumes/index.ts'
