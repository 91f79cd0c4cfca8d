import type {
  CatalogEndpoint,
  CatalogService,
  Domain,
  EndpointInterface,
  Group,
  Project,
  Region,
  Role,
  StoredAppCredential,
  User,
} from '@gantry/control'
import { count, flag, strings, text } from '../columns.ts'
import type { EntitySketch } from './entity-table.ts'

export const domains: EntitySketch<Domain> = {
  table: 'identity_domain',
  type: 'domain',
  columns: { id: text('id'), name: text('name'), description: text('description'), enabled: flag('enabled') },
}

export const projects: EntitySketch<Project> = {
  table: 'identity_project',
  type: 'project',
  columns: {
    id: text('id'),
    name: text('name'),
    domainId: text('domain_id'),
    parentId: text<string | null>('parent_id'),
    description: text('description'),
    enabled: flag('enabled'),
    tags: strings('tags'),
  },
  async cascade(db, id) {
    await db.deleteFrom('identity_grant').where('target_kind', '=', 'project').where('target_id', '=', id).execute()
    await db.deleteFrom('identity_app_credential').where('project_id', '=', id).execute()
  },
}

export const users: EntitySketch<User> = {
  table: 'identity_user',
  type: 'user',
  columns: {
    id: text('id'),
    name: text('name'),
    domainId: text('domain_id'),
    defaultProjectId: text<string | null>('default_project_id'),
    email: text<string | null>('email'),
    description: text('description'),
    enabled: flag('enabled'),
  },
  async cascade(db, id) {
    await db.deleteFrom('identity_password').where('user_id', '=', id).execute()
    await db.deleteFrom('identity_member').where('user_id', '=', id).execute()
    await db.deleteFrom('identity_grant').where('actor_kind', '=', 'user').where('actor_id', '=', id).execute()
    await db.deleteFrom('identity_app_credential').where('user_id', '=', id).execute()
  },
}

export const groups: EntitySketch<Group> = {
  table: 'identity_group',
  type: 'group',
  columns: { id: text('id'), name: text('name'), domainId: text('domain_id'), description: text('description') },
  async cascade(db, id) {
    await db.deleteFrom('identity_member').where('group_id', '=', id).execute()
    await db.deleteFrom('identity_grant').where('actor_kind', '=', 'group').where('actor_id', '=', id).execute()
  },
}

export const roles: EntitySketch<Role> = {
  table: 'identity_role',
  type: 'role',
  columns: { id: text('id'), name: text('name'), description: text<string | null>('description') },
  async cascade(db, id) {
    await db.deleteFrom('identity_grant').where('role_id', '=', id).execute()
  },
}

export const regions: EntitySketch<Region> = {
  table: 'identity_region',
  type: 'region',
  columns: {
    id: text('id'),
    description: text('description'),
    parentRegionId: text<string | null>('parent_region_id'),
  },
}

export const services: EntitySketch<CatalogService> = {
  table: 'identity_service',
  type: 'service',
  columns: {
    id: text('id'),
    type: text('type'),
    name: text('name'),
    description: text('description'),
    enabled: flag('enabled'),
  },
  async cascade(db, id) {
    await db.deleteFrom('identity_endpoint').where('service_id', '=', id).execute()
  },
}

export const endpoints: EntitySketch<CatalogEndpoint> = {
  table: 'identity_endpoint',
  type: 'endpoint',
  columns: {
    id: text('id'),
    serviceId: text('service_id'),
    regionId: text<string | null>('region_id'),
    interface: text<EndpointInterface>('interface'),
    url: text('url'),
    enabled: flag('enabled'),
  },
}

export const appCredentials: EntitySketch<StoredAppCredential> = {
  table: 'identity_app_credential',
  type: 'application credential',
  columns: {
    id: text('id'),
    name: text('name'),
    userId: text('user_id'),
    projectId: text('project_id'),
    description: text('description'),
    roleIds: strings('role_ids'),
    secretHash: text('secret_hash'),
    expiresAt: count('expires_at'),
    unrestricted: flag('unrestricted'),
  },
}
