use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT};

/// `min costs y` with rows `sum of part y <= limit` and `y >= 0`.
pub(super) struct Problem<'a> {
    pub costs: &'a [f64],
    pub rows: Vec<(&'a [(usize, f64)], f64)>,
}

/// What the solver found; nothing about it is certain.
pub(super) struct Answer {
    pub y: Vec<f64>,
    /// What one more of each row's limit would save.
    pub prices: Vec<f64>,
    pub status: String,
}

/// Asks the interior-point solver Clarabel (Goulart and Chen, 2024, arXiv:2405.12762).
pub(super) fn solve(problem: &Problem<'_>) -> Answer {
    let (variables, rows) = (problem.costs.len(), problem.rows.len());
    let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); variables];
    for (row, (entries, _)) in problem.rows.iter().enumerate() {
        entries.iter().for_each(|(index, part)| columns[*index].push((row, *part)));
    }
    let entries = columns.iter().map(Vec::len).sum::<usize>() + variables;
    let (mut starts, mut places, mut parts) =
        (vec![0], Vec::with_capacity(entries), Vec::with_capacity(entries));
    for (index, column) in columns.iter().enumerate() {
        // What is not negative is a row of its own to the solver.
        for (row, part) in column.iter().copied().chain([(rows + index, -1.0)]) {
            places.push(row);
            parts.push(part);
        }
        starts.push(places.len());
    }
    let matrix = CscMatrix::new(rows + variables, variables, starts, places, parts);
    let mut limits: Vec<f64> = problem.rows.iter().map(|(_, limit)| *limit).collect();
    limits.resize(rows + variables, 0.0);
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let square = CscMatrix::zeros((variables, variables));
    let cones = [NonnegativeConeT(limits.len())];
    match DefaultSolver::new(&square, problem.costs, &matrix, &limits, &cones, settings) {
        Ok(mut solver) => {
            solver.solve();
            let solution = solver.solution;
            let prices = solution.z.into_iter().take(rows).collect();
            Answer { y: solution.x, prices, status: solution.status.to_string() }
        }
        Err(error) => Answer { y: vec![0.0; variables], prices: Vec::new(), status: error.to_string() },
    }
}
