import '@mantine/core/styles.css'
import './dashboard.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError, onSignedOut } from './api/client.ts'
import { App } from './app.tsx'
import { theme } from './theme.ts'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Events tell when something is old (api/live.ts).
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: (count, error) => error instanceof ApiError && error.retry && count < 3,
    },
  },
})
onSignedOut(() => client.setQueryData(['session'], null))

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <QueryClientProvider client={client}>
          <App />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
