/** What to say when a link cannot be opened; the same for everybody. */
import type { JoinCode } from '../../client/index';

export interface FullPage {
  title: string;
  text: string;
}

export type LinkProblem = JoinCode | 'offline' | 'internal';

export const linkWords: Record<LinkProblem, FullPage> = {
  link_unknown: {
    title: 'This link does not work',
    text: 'Open the link in your message once more. If you typed it, check each letter.',
  },
  link_revoked: {
    title: 'This link was replaced',
    text: 'The clinic has sent a newer link. Open that one, or ring the clinic.',
  },
  link_expired: {
    title: 'This link is too old',
    text: 'Ask the clinic for a new link.',
  },
  visit_over: {
    title: 'This visit is over',
    text: 'There is nothing left to join. Ring the clinic if you have a question.',
  },
  too_many: {
    title: 'Please wait a moment',
    text: 'This link was opened many times. Wait a minute, then try again.',
  },
  offline: {
    title: 'We cannot reach the clinic',
    text: 'Check that your phone is online, then try again. Your place is safe.',
  },
  internal: {
    title: 'Something went wrong on our side',
    text: 'It is not your fault, and your place is safe. Please try again in a moment.',
  },
};
