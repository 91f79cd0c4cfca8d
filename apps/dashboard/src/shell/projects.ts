import { useQuery } from '@tanstack/react-query'
import { projectsQuery } from '../api/identity.ts'
import { useSession } from './session.tsx'

/** All projects there are, for administrators; where another Keystone keeps them, those that one may sign in to. */
export function useProjects(): readonly { readonly id: string; readonly name: string }[] {
  const { ownIdentity, projects } = useSession()
  const { data } = useQuery({ ...projectsQuery, enabled: ownIdentity })
  return data ?? projects
}
