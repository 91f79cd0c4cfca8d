import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { newerThan, requireNotShutOut } from './newer.ts'
import * as core from './0001-core.ts'
import * as identity from './0002-identity.ts'
import * as sequenceIndexes from './0003-sequence-indexes.ts'
import * as attachments from './0004-attachments.ts'
import * as networks from './0005-networks.ts'
import * as volumesCapsulesRegistries from './0006-volumes-capsules-registries.ts'
import * as imagesOfDocker from './0007-images-of-docker.ts'
import * as dockerNetworksVolumes from './0008-docker-networks-volumes.ts'
import * as dockerCertificates from './0009-docker-certificates.ts'
import * as imageCatalogue from './0010-image-catalogue.ts'
import * as cloudPorts from './0011-cloud-ports.ts'
import * as exchangedImages from './0012-exchanged-images.ts'
import * as cloudNetworks from './0013-cloud-networks.ts'
import * as cloudVolumes from './0014-cloud-volumes.ts'
import * as backups from './0015-backups.ts'
import * as moves from './0016-moves.ts'
import * as order from './0017-order.ts'
import * as servers from './0018-servers.ts'
import * as leases from './0019-leases.ts'
import * as instances from './0020-instances.ts'
import * as changes from './0021-changes.ts'
import * as usage from './0022-usage.ts'
import * as blobContents from './0024-blob-contents.ts'
import * as lists from './0025-lists.ts'
import * as leanIndexes from './0026-lean-indexes.ts'
import * as audit from './0027-audit.ts'
import * as touchedHosts from './0028-touched-hosts.ts'

export const migrations: Readonly<Record<string, Migration>> = {
  '0001-core': core,
  '0002-identity': identity,
  '0003-sequence-indexes': sequenceIndexes,
  '0004-attachments': attachments,
  '0005-networks': networks,
  '0006-volumes-capsules-registries': volumesCapsulesRegistries,
  '0007-images-of-docker': imagesOfDocker,
  '0008-docker-networks-volumes': dockerNetworksVolumes,
  '0009-docker-certificates': dockerCertificates,
  '0010-image-catalogue': imageCatalogue,
  '0011-cloud-ports': cloudPorts,
  '0012-exchanged-images': exchangedImages,
  '0013-cloud-networks': cloudNetworks,
  '0014-cloud-volumes': cloudVolumes,
  '0015-backups': backups,
  '0016-moves': moves,
  '0017-order': order,
  '0018-servers': servers,
  '0019-leases': leases,
  '0020-instances': instances,
  '0021-changes': changes,
  '0022-usage': usage,
  '0024-blob-contents': blobContents,
  '0025-lists': lists,
  '0026-lean-indexes': leanIndexes,
  '0027-audit': audit,
  '0028-touched-hosts': touchedHosts,
}

/**
 * Brings the schema up to date; each migration runs once, in name order. Throws with the failed one's name. What a newer program has
 * added is left as it is: servers are upgraded one by one, and an older one may be started again beside them.
 */
export async function migrate<T>(db: Kysely<T>, own: Readonly<Record<string, Migration>> = migrations): Promise<void> {
  const known = new Set(Object.keys(own))
  const foreign = await newerThan(db, known)
  const all = { ...own, ...Object.fromEntries(foreign.map((name) => [name, doneByNewer])) }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => all } })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return requireNotShutOut(db, known)
  // A newer one may have come between the two.
  if ((await newerThan(db, known)).length > foreign.length) return migrate(db, own)
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the first step'
  throw new Error(`The database could not be brought up to date (${failed}).`, { cause: error })
}

const doneByNewer: Migration = {
  up: () => Promise.reject(new Error('Only a newer program knows this migration.')),
}
