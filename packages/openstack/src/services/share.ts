import Type, { type Static } from 'typebox'
import { maybe, texts } from '../bodies.ts'
import { type Context, path } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
import { isOpenStackError } from '../openstack-error.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

const text = Type.Optional(Type.String())

export const Share = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  description: maybe(Type.String()),
  /** creating, available, extending, deleting, error, error_deleting, extending_error, … */
  status: Type.String(),
  /** GiB */
  size: Type.Number(),
  /** NFS, CIFS, GLUSTERFS, HDFS, CEPHFS, MAPRFS */
  share_proto: Type.String(),
  /** Its id. */
  share_type: maybe(Type.String()),
  share_type_name: maybe(Type.String()),
  share_network_id: maybe(Type.String()),
  snapshot_id: maybe(Type.String()),
  project_id: maybe(Type.String()),
  user_id: maybe(Type.String()),
  availability_zone: maybe(Type.String()),
  is_public: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Type.Union([texts, Type.Null()])),
  created_at: maybe(Type.String()),
})
export type Share = Static<typeof Share>
export interface ShareCreate {
  readonly share_proto: string
  /** GiB; with a snapshot at least its size. */
  readonly size: number
  readonly name?: string
  readonly description?: string
  /** By name or id; Manila has a default, or wants one. */
  readonly share_type?: string
  readonly share_network_id?: string
  readonly share_group_id?: string
  readonly snapshot_id?: string
  readonly availability_zone?: string
  readonly is_public?: boolean
  readonly metadata?: Readonly<Record<string, string>>
}
/** Manila keeps the words of its first days here. */
export interface ShareUpdate {
  readonly display_name?: string
  readonly display_description?: string
  readonly is_public?: boolean
}

export const AccessRule = Type.Object({
  id: Type.String(),
  /** ip, user, cert, cephx */
  access_type: Type.String(),
  access_to: Type.String(),
  /** rw, ro */
  access_level: maybe(Type.String()),
  /** queued_to_apply, applying, active, queued_to_deny, denying, error; null for a moment while it goes. */
  state: Type.Union([Type.String(), Type.Null()]),
  /** What cephx clients show; a secret. */
  access_key: maybe(Type.String()),
  metadata: Type.Optional(Type.Union([texts, Type.Null()])),
})
export type AccessRule = Static<typeof AccessRule>
export interface AccessRuleCreate {
  readonly access_type: string
  readonly access_to: string
  readonly access_level?: 'rw' | 'ro'
  readonly metadata?: Readonly<Record<string, string>>
}

export const ExportLocation = Type.Object({ path: Type.String(), preferred: Type.Optional(Type.Boolean()) })
export type ExportLocation = Static<typeof ExportLocation>

export const ShareSnapshot = Type.Object({
  id: Type.String(),
  name: maybe(Type.String()),
  description: maybe(Type.String()),
  share_id: Type.String(),
  /** creating, available, deleting, error, error_deleting, restoring */
  status: Type.String(),
  /** GiB, of the share. */
  share_size: maybe(Type.Number()),
  size: maybe(Type.Number()),
  project_id: maybe(Type.String()),
  created_at: maybe(Type.String()),
})
export type ShareSnapshot = Static<typeof ShareSnapshot>
export const ShareSnapshotCreate = Type.Object({ share_id: Type.String(), name: text, description: text })
export type ShareSnapshotCreate = Static<typeof ShareSnapshotCreate>

export const ShareType = Type.Object({
  id: Type.String(),
  name: Type.String(),
  is_default: maybe(Type.Boolean()),
  /** snapshot_support, create_share_from_snapshot_support, driver_handles_share_servers, …: texts or booleans. */
  extra_specs: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type ShareType = Static<typeof ShareType>

/** What a user is told about something that failed later than its request. */
export const ShareMessage = Type.Object({ id: Type.String(), user_message: Type.String() })
export type ShareMessage = Static<typeof ShareMessage>

export const ShareNetwork = Type.Object({ id: Type.String(), name: maybe(Type.String()) })
export type ShareNetwork = Static<typeof ShareNetwork>

/** Manila v2. */
export interface ShareService {
  /** Filters of `list`: `name`, `all_tenants`, `metadata`, … */
  readonly shares: Collection<Share, ShareCreate, ShareUpdate>
  readonly snapshots: Omit<Collection<ShareSnapshot, ShareSnapshotCreate, never>, 'update'>
  readonly types: Pick<Collection<ShareType, never, never>, 'list'>
  readonly networks: Pick<Collection<ShareNetwork, never, never>, 'list' | 'show'>
  /** Adds to the metadata, and changes what has the same key. */
  setMetadata(id: string, metadata: Readonly<Record<string, string>>, context: Context): Promise<void>
  /** False if it had no such key. */
  removeMetadata(id: string, key: string, context: Context): Promise<boolean>
  extend(id: string, gib: number, context: Context): Promise<void>
  /** Where the share is to be mounted from; empty until it is available. */
  exportLocations(id: string, context: Context): Promise<readonly ExportLocation[]>
  /** The newest first: why something is in an error state; they are forgotten after a while. */
  messages(resourceId: string, context: Context): AsyncIterable<ShareMessage>
  /** Who may mount a share. A rule is usable once its state is active; `deny` is done once the rule is gone. */
  readonly access: {
    list(shareId: string, context: Context): Promise<readonly AccessRule[]>
    /** The same rule once more is a 400 or 409. */
    allow(shareId: string, rule: AccessRuleCreate, context: Context): Promise<AccessRule>
    /** False if there was no such rule. */
    deny(shareId: string, ruleId: string, context: Context): Promise<boolean>
  }
}

const forms = {
  shares: formOf(Share, { path: '/shares', one: 'share', many: 'shares', listPath: '/shares/detail', next: 'offset' }),
  snapshots: formOf(ShareSnapshot, {
    path: '/snapshots',
    one: 'snapshot',
    many: 'snapshots',
    listPath: '/snapshots/detail',
    next: 'offset',
  }),
  types: formOf(ShareType, { path: '/types', one: 'share_type', many: 'share_types', next: 'whole' }),
  messages: formOf(ShareMessage, { path: '/messages', one: 'message', many: 'messages', next: 'own-pages' }),
  networks: formOf(ShareNetwork, {
    path: '/share-networks',
    one: 'share_network',
    many: 'share_networks',
    listPath: '/share-networks/detail',
    next: 'whole',
  }),
} as const
const rule = within('access', reader(AccessRule))
const rules = within('access_list', reader(Type.Array(AccessRule)))
const locations = within('export_locations', reader(Type.Array(ExportLocation)))

export function shareService(session: Session): ShareService {
  const service = serviceOf(session, kinds.share)
  const messages = collection<ShareMessage, never, never>(service, forms.messages)
  const actionOf = (id: string) => ({ method: 'POST', path: path`/shares/${id}/action` }) as const
  return {
    shares: collection(service, forms.shares),
    snapshots: collection<ShareSnapshot, ShareSnapshotCreate, never>(service, forms.snapshots),
    types: collection<ShareType, never, never>(service, forms.types),
    networks: collection<ShareNetwork, never, never>(service, forms.networks),
    async setMetadata(id, metadata, context) {
      const to = path`/shares/${id}/metadata`
      await service.send({ method: 'POST', path: to, json: { metadata }, mayRepeat: true }, context)
    },
    removeMetadata: (id, key, context) => service.remove(path`/shares/${id}/metadata/${key}`, context),
    async extend(id, gib, context) {
      await service.send({ ...actionOf(id), json: { extend: { new_size: gib } } }, context)
    },
    exportLocations: (id, context) =>
      service.read(locations, { method: 'GET', path: path`/shares/${id}/export_locations` }, context),
    messages: (resourceId, context) =>
      messages.list({ resource_id: resourceId, sort_key: 'created_at', sort_dir: 'desc' }, context),
    access: {
      list: (id, context) =>
        service.read(rules, { method: 'GET', path: '/share-access-rules', query: { share_id: id } }, context),
      allow: (id, wanted, context) => service.read(rule, { ...actionOf(id), json: { allow_access: wanted } }, context),
      async deny(id, ruleId, context) {
        try {
          await service.send({ ...actionOf(id), json: { deny_access: { access_id: ruleId } } }, context)
          return true
        } catch (error) {
          if (isOpenStackError(error, 404)) return false
          throw error
        }
      },
    },
  }
}
