import { z } from 'zod';

/** A status with which a fake answers for good: those below 200 only announce an answer. */
export const answerStatus = z.int().min(200).max(599);
