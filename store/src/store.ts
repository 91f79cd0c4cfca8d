import type { Store, Tables } from '@gantry/control'
import type { Kysely } from 'kysely'
import type { Database } from './database.ts'
import { gatheredTables } from './tables/gathered-tables.ts'
import { lockedTransaction } from './locks.ts'
import { actionTable } from './tables/actions.ts'
import { auditTable } from './tables/audit.ts'
import { changeTable } from './tables/changes.ts'
import { webhookTable } from './tables/webhooks.ts'
import { capsuleTable } from './tables/capsules.ts'
import { certificateTable } from './tables/certificates.ts'
import { cloudNetworkTable } from './tables/cloud-networks.ts'
import { cloudPortTable } from './tables/cloud-ports.ts'
import { exchangedImageTable } from './tables/exchanged-images.ts'
import { cloudAttachmentTable, cloudHolderTable, cloudVolumeTable } from './tables/cloud-volumes.ts'
import { consoleTable } from './tables/consoles.ts'
import { containerTable } from './tables/containers.ts'
import { floatingIpTable } from './tables/floating-ips.ts'
import { hostTable } from './tables/hosts.ts'
import { instanceTable } from './tables/instances.ts'
import { dutyTable, sessionTable } from './tables/sessions.ts'
import { contentTable, uploadTable } from './tables/contents.ts'
import { imagePolicyTable, imageTable } from './tables/images.ts'
import { networkTable, subnetTable } from './tables/networks.ts'
import { portTable } from './tables/ports.ts'
import { quotaTable } from './tables/quotas.ts'
import { registryTable } from './tables/registries.ts'
import { routerTable } from './tables/routers.ts'
import { securityGroupTable } from './tables/security-groups.ts'
import { backupTable } from './tables/backups.ts'
import { snapshotTable, volumeTable } from './tables/volumes.ts'

/** Control's store on any Kysely database whose schema is up to date. */
export function createStore(db: Kysely<Database>): Store {
  return {
    ...gatheredTables(db, tables(db)),
    transaction: (work, locks = []) => lockedTransaction(db, locks, (transaction) => work(tables(transaction))),
  }
}

function tables(db: Kysely<Database>): Tables {
  return {
    containers: containerTable(db),
    actions: actionTable(db),
    hosts: hostTable(db),
    instances: instanceTable(db),
    sessions: sessionTable(db),
    duties: dutyTable(db),
    images: imageTable(db),
    contents: contentTable(db),
    uploads: uploadTable(db),
    imagePolicies: imagePolicyTable(db),
    quotas: quotaTable(db),
    networks: networkTable(db),
    subnets: subnetTable(db),
    ports: portTable(db),
    groups: securityGroupTable(db),
    routers: routerTable(db),
    floatingIps: floatingIpTable(db),
    volumes: volumeTable(db),
    snapshots: snapshotTable(db),
    backups: backupTable(db),
    capsules: capsuleTable(db),
    registries: registryTable(db),
    consoles: consoleTable(db),
    certificates: certificateTable(db),
    cloudPorts: cloudPortTable(db),
    cloudNetworks: cloudNetworkTable(db),
    cloudVolumes: cloudVolumeTable(db),
    cloudAttachments: cloudAttachmentTable(db),
    cloudHolders: cloudHolderTable(db),
    exchangedImages: exchangedImageTable(db),
    changes: changeTable(db),
    webhooks: webhookTable(db),
    audit: auditTable(db),
  }
}
