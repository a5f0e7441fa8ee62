/** For those who are to know no machine. */
export { exponential, type Random, randomFrom } from '../machines/random.js';
