import { Alert, Button, Center, Image, Paper, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { FormEvent } from 'react'
import { type Credentials, farewellKey, signIn } from '../api/session.ts'

export function SignIn() {
  useDocumentTitle('Sign in · Gantry')
  const client = useQueryClient()
  const signing = useMutation({
    mutationFn: signIn,
    onSuccess: (session) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      client.setQueryData(['session'], session)
    },
  })
  const farewell = client.getQueryData(farewellKey)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    signing.mutate(credentialsOf(new FormData(event.currentTarget)))
  }
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={400}>
        <form onSubmit={submit}>
          <Stack>
            <Image src="/ui/icon.svg" alt="" w={48} h={48} />
            <Title order={1} size="h2">
              Sign in to Gantry
            </Title>
            {typeof farewell === 'string' && (
              <Alert color="yellow" role="status" title="You are signed out">
                {farewell}
              </Alert>
            )}
            <TextInput name="user" label="User name" autoComplete="username" required autoFocus />
            <PasswordInput name="password" label="Password" autoComplete="current-password" required />
            <TextInput name="project" label="Project" description="Left empty: your first one" autoComplete="off" />
            <TextInput name="domain" label="Domain" placeholder="Default" autoComplete="off" />
            {signing.error && (
              <Alert color="red" role="alert" title="That did not work">
                {signing.error.message}
              </Alert>
            )}
            <Button type="submit" loading={signing.isPending}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  )
}

function credentialsOf(form: FormData): Credentials {
  const field = (name: string) => {
    const value = form.get(name)
    return typeof value === 'string' ? value : ''
  }
  const [project, domain] = [field('project').trim(), field('domain').trim()]
  return {
    user: field('user').trim(),
    password: field('password'),
    ...(project !== '' && { project }),
    ...(domain !== '' && { domain }),
  }
}
