import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
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

const migrations: Record<string, Migration> = {
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
}

/** Brings the schema up to date; each migration runs once, in name order. Throws with the failed one's name. */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the first step'
  throw new Error(`The database could not be brought up to date (${failed}).`, { cause: error })
}
