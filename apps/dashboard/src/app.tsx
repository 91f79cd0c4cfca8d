import { Center, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { sessionQuery } from './api/session.ts'
import { Failure } from './parts/failure.tsx'
import { router } from './router.tsx'
import { SignIn } from './shell/sign-in.tsx'

/** Signed in, the pages; else the way in. */
export function App() {
  const { data: session, error, isPending, refetch } = useQuery(sessionQuery)
  if (isPending) {
    return (
      <Center h="100vh">
        <Loader aria-label="Loading" />
      </Center>
    )
  }
  if (error)
    return <Failure error={error} what="Who is signed in could not be found out" onRetry={() => void refetch()} />
  return session === null ? <SignIn /> : <RouterProvider router={router} />
}
