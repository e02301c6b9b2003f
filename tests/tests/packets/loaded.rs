//! The programs in the kernel. To load them takes a second, most of it the verifier's, so that tests hand them on:
//! whoever gets them finds every map that they use as if it had just been made.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use aya::maps::{Map, MapData, MapError, MapInfo};
use dfaas_common::steps::STEPS;
use dfaas_userspace::dataplane::Object;

use crate::bench::FLOWS;
use crate::wipe::wipe;

/// The programs that the kernel calls itself.
pub const ENTRIES: [&str; 3] = ["dfaas_ingress", "dfaas_egress", "dfaas_sweep"];

/// Those that nobody uses at the moment.
static IDLE: Mutex<Vec<Object>> = Mutex::new(Vec::new());

/// Programs that go back when they are dropped.
pub struct Loaded {
    /// There until it is dropped.
    object: Option<Object>,
    /// Whether others may have them afterwards.
    lent: bool,
}

impl Loaded {
    /// Programs that others may have had before, with maps as new.
    pub fn borrow() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let loaded = Self { object: Some(idle.unwrap_or_else(load)), lent: true };
        loaded.maps().values().for_each(wipe);
        loaded
    }

    /// Programs that nobody else has ever, to be attached to interfaces: whose packets may come later than one thinks.
    pub fn own() -> Self {
        Self { object: Some(load()), lent: false }
    }

    /// All maps that the programs use, by name.
    fn maps(&self) -> BTreeMap<String, MapInfo> {
        maps_of(self)
    }

    /// Opens maps by name.
    pub fn open(&self) -> Maps {
        Maps(self.maps())
    }
}

/// All maps that programs use, by name.
pub fn maps_of(object: &Object) -> BTreeMap<String, MapInfo> {
    let mut maps = BTreeMap::new();
    for name in ENTRIES.iter().chain(STEPS) {
        let info = object.program(name).expect("a loaded program").info().expect("its description");
        for id in info.map_ids().expect("its maps").expect("a kernel that tells them") {
            let map = MapInfo::from_id(id).expect("a map that a program uses");
            maps.insert(map.name_as_str().expect("a name").to_owned(), map);
        }
    }
    maps
}

/// The maps of programs, to be opened one by one.
pub struct Maps(BTreeMap<String, MapInfo>);

impl Maps {
    /// A map that the programs use.
    pub fn get<M: TryFrom<Map, Error = MapError>>(&self, name: &str) -> M {
        let info = self.0.get(name).unwrap_or_else(|| panic!("no program uses a map {name}"));
        let map = MapData::from_id(info.id()).and_then(Map::from_map_data);
        map.and_then(M::try_from).unwrap_or_else(|e| panic!("map {name}: {e}"))
    }
}

fn load() -> Object {
    Object::load(None, FLOWS, false)
        .unwrap_or_else(|e| panic!("packet tests need root and a kernel of 6.6 or newer with BTF: {e}"))
}

impl Deref for Loaded {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Loaded {
    fn deref_mut(&mut self) -> &mut Object {
        self.object.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && self.lent
        {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(object);
        }
    }
}
