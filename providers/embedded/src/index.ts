export * from './identity/index.ts'
export { embeddedNetworks } from './network/embedded-networks.ts'
