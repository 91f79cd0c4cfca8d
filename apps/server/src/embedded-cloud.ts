import { join } from 'node:path'
import { glanceFacade } from '@gantry/facade-glance'
import { keystone } from '@gantry/facade-keystone'
import {
  bootstrapIdentity,
  embeddedIdentity,
  embeddedNamespaces,
  embeddedNetworks,
  type NewCredential,
  renderOpenrc,
} from '@gantry/providers-embedded'
import type { ProjectId } from '@gantry/model'
import { identityTables, oneAtATime, type openSqlite } from '@gantry/store'
import type { CloudSide, CloudSideParts } from './cloud-side.ts'
import { writeSecretFile } from './openrc.ts'

/** Identity, networks and the image API of our own, for a machine without an OpenStack. */
export function embeddedCloud(
  { home, store, clock, ids }: CloudSideParts,
  { db, publicCidr }: { readonly db: Awaited<ReturnType<typeof openSqlite>>; readonly publicCidr: string },
): CloudSide {
  const identityStore = identityTables(db)
  const identity = embeddedIdentity({ store: identityStore, clock, ids })
  const networks = embeddedNetworks({ store, clock, ids, publicCidr })
  return {
    identityUrl: null,
    identity,
    namespaces: embeddedNamespaces(identityStore),
    networks,
    volumes: null,
    async mount(app, control) {
      await app.register(keystone, { prefix: '/identity', identity })
      await app.register(glanceFacade, { prefix: '/image', images: control.images, verifier: identity })
    },
    begin: () => networks.sweep(),
    async welcome({ api, docker, secure }) {
      const keep = async (credential: NewCredential) => {
        const openrc = { authUrl: `${api}/identity/v3`, docker, ...credential }
        const text = renderOpenrc(secure ? { ...openrc, caFile: join(home, 'ca', 'ca.pem') } : openrc)
        const file = credential.userName === 'admin' ? 'openrc-admin' : 'openrc'
        await writeSecretFile(join(home, file), text)
      }
      // Of two servers that start at once, the later must find the users made, not write passwords of its own.
      const made = await oneAtATime(db, 'first users', () => bootstrapIdentity(identityStore, { ids, clock, keep }))
      const [owner] = await identityStore.projects.list({ domainId: 'default', name: 'admin' })
      if (owner) await networks.ensurePublic(owner.id as ProjectId)
      return made.length > 0
    },
    close: async () => undefined,
  }
}
