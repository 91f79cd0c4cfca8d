import { type Answer, answeredIdOf, type Call, type Context, type Query, type StreamAnswer } from './call.ts'
import { jsonOf } from './log-in.ts'
import { isOpenStackError, OpenStackError } from './openstack-error.ts'
import { type PageForm, pages } from './paging.ts'
import type { Reader } from './reader.ts'
import type { ServiceKind } from './service-kind.ts'
import type { Session } from './session.ts'

/** One service, for one session: what its module is made of. */
export interface Service {
  /** The checked value in the answer. */
  read<T>(reader: Reader<T>, call: Call, context: Context): Promise<T>
  /** The answer, whatever is in it. */
  send(call: Call, context: Context): Promise<Answer>
  stream(call: Call, context: Context): Promise<StreamAnswer>
  /** False if it was not there, or is not any more. */
  remove(path: string, context: Context, query?: Query): Promise<boolean>
  /** Everything of a list, page by page, as it is asked for; `limit` is how much a page holds. */
  list<T>(path: string, form: PageForm<T>, query: Query, context: Context): AsyncIterable<T>
}

const anything: Reader<unknown> = { read: (value) => ({ value }) }

export function serviceOf(session: Session, kind: ServiceKind): Service {
  const service: Service = {
    async read(reader, call, context) {
      const answer = await session.ask(kind, call, context)
      const reading = reader.read(jsonOf(answer.body))
      if ('value' in reading) return reading.value
      const { method, path } = call
      const { status, headers } = answer
      const answeredId = answeredIdOf(headers)
      const reason = `the answer cannot be read: ${reading.problem}`
      throw new OpenStackError({ failure: 'unreadable', service: kind.name, method, path, status, answeredId, reason })
    },
    send: (call, context) => session.ask(kind, call, context),
    stream: (call, context) => session.stream(kind, call, context),
    async remove(path, context, query = {}) {
      try {
        await session.ask(kind, { method: 'DELETE', path, query }, context)
        return true
      } catch (error) {
        if (isOpenStackError(error, 404)) return false
        throw error
      }
    },
    list(path, form, { limit, ...query }, context) {
      const page = (of: Query) => service.read(anything, { method: 'GET', path, query: { ...query, ...of } }, context)
      return pages(form, kind.name, page, typeof limit === 'number' ? limit : undefined)
    },
  }
  return service
}
