import type { Kysely } from 'kysely'

/** Name and column definitions; each table also gets its unique and plain indexes. */
interface TableSketch {
  readonly name: string
  readonly text: readonly string[]
  readonly nullable?: readonly string[]
  readonly integer?: readonly string[]
  readonly nullableInteger?: readonly string[]
  readonly key: readonly string[]
  readonly unique?: readonly string[]
  readonly index?: readonly string[]
}

const inDomain = { key: ['id'], unique: ['domain_id', 'name'] }

const tables: readonly TableSketch[] = [
  { name: 'identity_domain', text: ['id', 'name', 'description'], integer: ['enabled'], key: ['id'], unique: ['name'] },
  {
    name: 'identity_project',
    text: ['id', 'name', 'domain_id', 'description', 'tags'],
    nullable: ['parent_id'],
    integer: ['enabled'],
    ...inDomain,
    index: ['parent_id'],
  },
  {
    name: 'identity_user',
    text: ['id', 'name', 'domain_id', 'description'],
    nullable: ['default_project_id', 'email'],
    integer: ['enabled'],
    ...inDomain,
  },
  { name: 'identity_password', text: ['user_id', 'hash'], integer: ['changed_at'], key: ['user_id'] },
  { name: 'identity_group', text: ['id', 'name', 'domain_id', 'description'], ...inDomain },
  { name: 'identity_member', text: ['group_id', 'user_id'], key: ['group_id', 'user_id'], index: ['user_id'] },
  { name: 'identity_role', text: ['id', 'name'], nullable: ['description'], key: ['id'], unique: ['name'] },
  {
    name: 'identity_grant',
    text: ['actor_kind', 'actor_id', 'target_kind', 'target_id', 'role_id'],
    key: ['actor_kind', 'actor_id', 'target_kind', 'target_id', 'role_id'],
    index: ['target_kind', 'target_id'],
  },
  {
    name: 'identity_app_credential',
    text: ['id', 'name', 'user_id', 'project_id', 'description', 'role_ids', 'secret_hash'],
    integer: ['unrestricted'],
    nullableInteger: ['expires_at'],
    key: ['id'],
    unique: ['user_id', 'name'],
  },
  { name: 'identity_region', text: ['id', 'description'], nullable: ['parent_region_id'], key: ['id'] },
  { name: 'identity_service', text: ['id', 'type', 'name', 'description'], integer: ['enabled'], key: ['id'] },
  {
    name: 'identity_endpoint',
    text: ['id', 'service_id', 'interface', 'url'],
    nullable: ['region_id'],
    integer: ['enabled'],
    key: ['id'],
    index: ['service_id'],
  },
  { name: 'identity_revocation', text: ['subject'], integer: ['at', 'until'], key: ['subject'] },
  { name: 'identity_signing_key', text: ['id', 'secret'], integer: ['created_at'], key: ['id'] },
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of tables) await create(db, table)
}

async function create(db: Kysely<unknown>, table: TableSketch): Promise<void> {
  let builder = db.schema.createTable(table.name)
  for (const column of table.text) builder = builder.addColumn(column, 'text', (type) => type.notNull())
  for (const column of table.nullable ?? []) builder = builder.addColumn(column, 'text')
  for (const column of table.integer ?? []) builder = builder.addColumn(column, 'bigint', (type) => type.notNull())
  for (const column of table.nullableInteger ?? []) builder = builder.addColumn(column, 'bigint')
  await builder.addPrimaryKeyConstraint(`${table.name}_key`, [...table.key] as never[]).execute()
  if (table.unique) {
    await db.schema
      .createIndex(`${table.name}_unique`)
      .unique()
      .on(table.name)
      .columns([...table.unique])
      .execute()
  }
  if (table.index) {
    await db.schema
      .createIndex(`${table.name}_index`)
      .on(table.name)
      .columns([...table.index])
      .execute()
  }
}
