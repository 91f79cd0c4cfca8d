import { useQuery } from '@tanstack/react-query'
import { type SessionView, sessionQuery } from '../api/session.ts'

/** Who is signed in; for components inside the shell. */
export function useSession(): SessionView {
  const { data } = useQuery(sessionQuery)
  if (!data) throw new Error('Nobody is signed in.')
  return data
}
