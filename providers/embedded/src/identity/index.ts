export {
  type BootstrapOptions,
  bootstrapIdentity,
  type NewCredential,
  regionName,
  type ServiceSketch,
} from './bootstrap.ts'
export { type EmbeddedIdentityOptions, embeddedIdentity } from './embedded-identity.ts'
export { embeddedNamespaces } from './namespaces.ts'
export { type OpenrcOptions, renderOpenrc } from './openrc.ts'
