export {
  type CoverageOptions,
  type CoverageReport,
  type CoverageThreshold,
  type Covered,
  gatherCoverage,
  type TransitionCoverage,
  transitionCoverage,
} from './transition-coverage.js';
