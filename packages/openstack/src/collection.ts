import type { Static, TSchema } from 'typebox'
import { type Context, path, type Query } from './call.ts'
import type { PageForm } from './paging.ts'
import { type Reader, reader, within } from './reader.ts'
import type { Service } from './service.ts'

/** Things of one sort at one service: `/networks`, `/networks/<id>`. */
export interface Collection<T, Create, Update> {
  /** Filters are the service's own (`name`, `project_id`, `tags`, …). */
  list(filters: Query, context: Context): AsyncIterable<T>
  show(id: string, context: Context): Promise<T>
  create(body: Create, context: Context): Promise<T>
  update(id: string, body: Update, context: Context): Promise<T>
  /** False if it was not there, or is not any more. */
  remove(id: string, context: Context): Promise<boolean>
}

export interface CollectionForm<T> {
  /** With a leading slash. */
  readonly path: string
  /** The key around one of them, and around a list. */
  readonly one: string
  readonly many: string
  readonly reader: Reader<T>
  /** Nova and Cinder show the whole of each only here: `/detail`. */
  readonly listPath?: string
  readonly updateMethod?: 'PUT' | 'PATCH'
  readonly next?: PageForm<T>['next']
}

/** A form whose things are as `schema` says. */
export function formOf<S extends TSchema>(
  schema: S,
  form: Omit<CollectionForm<Static<S>>, 'reader'>,
): CollectionForm<Static<S>> {
  return { ...form, reader: reader(schema) }
}

export function collection<T extends { id: string }, Create, Update>(
  service: Service,
  form: CollectionForm<T>,
): Collection<T, Create, Update> {
  const { path: base, one, many, reader: item, listPath = base, updateMethod = 'PUT', next = 'link' } = form
  const single = within(one, item)
  return {
    list: (filters, context) =>
      service.list(listPath, { key: many, item, next, marker: ({ id }) => id }, filters, context),
    show: (id, context) => service.read(single, { method: 'GET', path: base + path`/${id}` }, context),
    create: (body, context) => service.read(single, { method: 'POST', path: base, json: { [one]: body } }, context),
    update: (id, body, context) =>
      service.read(single, { method: updateMethod, path: base + path`/${id}`, json: { [one]: body } }, context),
    remove: (id, context) => service.remove(base + path`/${id}`, context),
  }
}

/** The first of a list, with no more than one page asked for; null: there is none. */
export async function firstOf<T>(list: AsyncIterable<T>): Promise<T | null> {
  for await (const one of list) return one
  return null
}

/** The whole of a list, for those that are known to be short. */
export async function allOf<T>(list: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(list)
}
