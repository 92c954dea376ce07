/** Words of the development page that hands out the demo links. */
export const tryWords = {
  title: 'Try a video visit',
  intro: (clinic: string) =>
    `${clinic} is a made-up clinic on this computer. Open two or three of these in tabs of their own and be everybody at once.`,
  loading: 'Setting up the demo clinic',
  failed: 'The demo clinic could not be reached. Is the server running with --dev?',
  again: 'Try again',
  step: (n: number) => `Step ${n}`,
  patient: {
    title: 'Be the patient',
    text: 'Check your camera and join the waiting room. Nobody can see or hear you until you are admitted.',
    open: 'Open as patient',
  },
  clinician: {
    title: 'Be the clinician',
    text: 'See who is waiting, confirm who it is, and admit. Then hold, invite and end.',
    open: 'Open as clinician',
  },
  specialist: {
    title: 'Be the specialist',
    text: 'Join the same visit as a guest. You wait until the clinician admits you, too.',
    open: 'Open as specialist',
  },
  build: {
    title: 'Build on it',
    text: 'Create visits from your own system, or put the visit into your own page.',
    api: 'API reference',
    library: 'Client library in ten lines',
    docs: 'Documentation: the folder docs of the source',
  },
  as: (name: string) => `as ${name}`,
};
