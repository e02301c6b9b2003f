use super::Shape;

/// What makes a shape meaningless.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// A number is out of its range.
    #[error("{kind}: {name} is {value}, and must be {must}")]
    Number {
        /// Kind of the shape.
        kind: &'static str,
        /// Name of the number.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What would be accepted.
        must: &'static str,
    },
    /// Times or limits are in the wrong order.
    #[error("{kind}: {first} is not before {then}")]
    Order {
        /// Kind of the shape.
        kind: &'static str,
        /// What must be smaller.
        first: &'static str,
        /// What must be larger.
        then: &'static str,
    },
}

impl Shape {
    /// Whether every rate of this shape is finite and not negative, and every time has a meaning.
    ///
    /// # Errors
    /// [`ShapeError`] names the first number that does not.
    pub fn check(&self) -> Result<(), ShapeError> {
        match self {
            Self::Constant { rate } => amounts("constant", &[("rate", *rate)]),
            Self::Step { before, after, at, until } => {
                amounts("step", &[("before", *before), ("after", *after)])?;
                finite("step", &[("at", *at), ("until", until.unwrap_or(0.0))])?;
                order("step", ("at", *at), ("until", until.unwrap_or(f64::INFINITY)))
            }
            Self::Linear { from, to, start, end } => {
                amounts("linear", &[("from", *from), ("to", *to)])?;
                finite("linear", &[("start", *start), ("end", *end)])?;
                order("linear", ("start", *start), ("end", *end))
            }
            Self::Triangular { base, peak, start, top, end } => {
                amounts("triangular", &[("base", *base), ("peak", *peak)])?;
                finite("triangular", &[("start", *start), ("top", *top), ("end", *end)])?;
                order("triangular", ("start", *start), ("top", *top))?;
                order("triangular", ("top", *top), ("end", *end))
            }
            Self::Sinusoidal { mean, amplitude, period, phase } => {
                amounts("sinusoidal", &[("mean", *mean), ("amplitude", *amplitude)])?;
                finite("sinusoidal", &[("phase", *phase)])?;
                positive("sinusoidal", "period", *period)?;
                let must = "at most the mean, as rates are not negative";
                number(amplitude <= mean, "sinusoidal", "amplitude", *amplitude, must)
            }
            Self::Spikes { base, height, first, every, width } => {
                amounts("spikes", &[("base", *base), ("height", *height), ("width", *width)])?;
                finite("spikes", &[("first", *first)])?;
                positive("spikes", "every", *every)?;
                number(width <= every, "spikes", "width", *width, "at most every")
            }
            Self::Table { interval, rates } => {
                positive("table", "interval", *interval)?;
                rates.iter().try_for_each(|rate| amounts("table", &[("a rate", *rate)]))
            }
            Self::Sum { of } => of.iter().try_for_each(Self::check),
            Self::Scale { by, of } => amounts("scale", &[("by", *by)]).and_then(|()| of.check()),
            Self::Delay { by, of } => finite("delay", &[("by", *by)]).and_then(|()| of.check()),
            Self::Clamp { min, max, of } => {
                amounts("clamp", &[("min", *min), ("max", *max)])?;
                number(min <= max, "clamp", "min", *min, "at most max")?;
                of.check()
            }
        }
    }
}

fn number(
    good: bool,
    kind: &'static str,
    name: &'static str,
    value: f64,
    must: &'static str,
) -> Result<(), ShapeError> {
    if good { Ok(()) } else { Err(ShapeError::Number { kind, name, value, must }) }
}

fn amounts(kind: &'static str, numbers: &[(&'static str, f64)]) -> Result<(), ShapeError> {
    let check = |(name, value): &(&'static str, f64)| {
        number(value.is_finite() && *value >= 0.0, kind, name, *value, "finite and not negative")
    };
    numbers.iter().try_for_each(check)
}

fn finite(kind: &'static str, numbers: &[(&'static str, f64)]) -> Result<(), ShapeError> {
    let check = |(name, value): &(&'static str, f64)| number(value.is_finite(), kind, name, *value, "finite");
    numbers.iter().try_for_each(check)
}

fn positive(kind: &'static str, name: &'static str, value: f64) -> Result<(), ShapeError> {
    number(value.is_finite() && value > 0.0, kind, name, value, "finite and more than 0")
}

fn order(
    kind: &'static str,
    (first, a): (&'static str, f64),
    (then, b): (&'static str, f64),
) -> Result<(), ShapeError> {
    if a < b { Ok(()) } else { Err(ShapeError::Order { kind, first, then }) }
}
