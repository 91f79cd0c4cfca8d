export { type KeystoneIdentityParts, keystoneIdentity } from './keystone-identity.ts'
export { type KeystoneNamespacesParts, keystoneNamespaces } from './keystone-namespaces.ts'
