export { hostRegistry, type HostRegistryOptions } from './host-registry.ts'
export { registryFacade, type RegistryOptions } from './registry-facade.ts'
