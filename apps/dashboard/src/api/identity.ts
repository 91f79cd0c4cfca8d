import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'

export interface ProjectView {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly enabled: boolean
  readonly domain_id: string
}

export interface UserView {
  readonly id: string
  readonly name: string
  readonly email?: string | null
  readonly description?: string | null
  readonly enabled: boolean
  readonly domain_id: string
  readonly default_project_id?: string | null
}

export interface RoleView {
  readonly id: string
  readonly name: string
}

export interface AssignmentView {
  readonly role: RoleView
  readonly scope: { readonly project?: RoleView; readonly domain?: RoleView; readonly system?: unknown }
  readonly user?: RoleView
  readonly group?: RoleView
}

const base = '/identity/v3'

/** Of a collection of the identity API, which tells of no changes: read again while it is looked at. */
function collection<T>(noun: string, field: string) {
  return queryOptions({
    queryKey: [noun, 'list'],
    staleTime: 0,
    refetchOnWindowFocus: true,
    queryFn: async ({ signal }) => {
      const answer = await call<Record<string, T[]>>(`${base}/${field}`, { signal })
      return answer[field] ?? []
    },
  })
}

export const projectsQuery = collection<ProjectView>('project', 'projects')
export const usersQuery = collection<UserView>('user', 'users')
export const rolesQuery = collection<RoleView>('role', 'roles')

/** What a user may do where. */
export function assignmentsQuery(user: string) {
  return queryOptions({
    queryKey: ['assignment', user],
    staleTime: 0,
    queryFn: async ({ signal }) => {
      const query = { 'user.id': user, include_names: true }
      const answer = await call<{ role_assignments: AssignmentView[] }>(`${base}/role_assignments`, { signal, query })
      return answer.role_assignments
    },
  })
}

export function identity<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return call<T>(`${base}${path}`, { method, ...(body !== undefined && { body }) })
}
